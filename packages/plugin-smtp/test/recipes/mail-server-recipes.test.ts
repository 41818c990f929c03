import type { RecipeSituation } from '@viassh/core';
import t from 'tap';
import { eximRecipe } from '../../src/recipes/exim.ts';
import { postfixRecipe } from '../../src/recipes/postfix.ts';

const situation: RecipeSituation = { destination: 'you@host', viassh: 'viassh', remoteShell: 'viassh-ssh' };

for (const recipe of [eximRecipe, postfixRecipe]) {
  t.test(`${recipe.program}: what its configuration would read as more than a word is refused`, async (t) => {
    for (const raw of [
      { user: 'root' },
      { user: 'a b' },
      { user: '$(id)' },
      { user: '-u' },
      { domains: 'a.example;b.example' },
      { domains: 'a.example,!b' },
      { domains: '*' },
      { domains: '-a.example' },
      { to: 'host:25 other' },
      { to: '${run{/bin/id}}:25' },
      { to: '-x' },
      { to: 'a\nb:25' },
    ])
      t.throws(() => recipe.script(situation, raw), { code: 'OPTION_INVALID' }, JSON.stringify(raw));
    for (const destination of ["'a b@host'", '-oProxyCommand=x', 'a$b@host'])
      t.throws(() => recipe.script({ ...situation, destination }), { code: 'OPTION_INVALID' }, destination);
  });

  t.test(`${recipe.program}: a port of the far end and an IPv6 address are words`, async (t) => {
    const script = recipe.script(
      { ...situation, destination: 'you@host:2222' },
      { to: '[::1]:2525', user: 'mail-out' },
    );
    t.match(script, '$viassh smtp --bsmtp --to [::1]:2525 you@host:2222\n');
    t.match(script, 'user=mail-out'.replace('=', recipe === eximRecipe ? ' = ' : '='));
  });
}

t.test('domains as exim and as postfix write them', async (t) => {
  const raw = { domains: 'A.example, *.b.example' };
  t.match(eximRecipe.script(situation, raw), '\n  domains = a.example : *.b.example\n');
  t.match(eximRecipe.script(situation), '\n  domains = ! +local_domains\n');
  t.match(postfixRecipe.script(situation, raw), '\na.example viassh:\n.b.example viassh:\n');
  t.match(postfixRecipe.script(situation), '\npostconf -e default_transport=viassh:\n');
});

import t from 'tap';
import { defineRecipe } from '@viassh/core';

const situation = { destination: 'user@host', viassh: 'viassh', remoteShell: 'viassh-ssh' };

const recipe = defineRecipe({
  program: 'mailer',
  summary: 'a mailer',
  options: {
    folder: { type: 'string', valueName: 'DIR', summary: 'where', default: 'Mail' },
    limit: { type: 'number', valueName: 'N', summary: 'how many', min: 1, max: 9 },
    quiet: { type: 'boolean', summary: 'no words' },
  },
  script: ({ destination }, { folder, limit, quiet, words }) =>
    [destination, folder, String(limit), String(quiet), ...words].join(' '),
});

t.test('the script gets the situation, the checked options with their defaults, and the words', async (t) => {
  t.equal(recipe.script(situation), 'user@host Mail undefined false');
  t.equal(
    recipe.script(situation, { folder: 'In', limit: '7', quiet: true }, ['imapd', '-x']),
    'user@host In 7 true imapd -x',
  );
});

t.test('what a list and a help text need is there without a script', async (t) => {
  t.match(recipe, { program: 'mailer', summary: 'a mailer', options: { folder: { valueName: 'DIR' } } });
});

t.test('options are checked by the table', async (t) => {
  t.throws(() => recipe.script(situation, { nonsense: 'x' }), { code: 'OPTION_INVALID', message: /--nonsense/ });
  t.throws(() => recipe.script(situation, { limit: '10' }), { code: 'OPTION_INVALID', message: /1 to 9/ });
});

import t from 'tap';
import { moreRecipes } from '../../src/index.ts';

t.test('no place of a text is left open, and none is filled with nothing', async (t) => {
  for (const { program, script } of moreRecipes) {
    const text = script({ destination: 'DEST', viassh: 'VIASSH', remoteShell: 'SHELL' });
    t.notMatch(text, /\{\w*\}/, program);
    t.match(text, /SHELL/, program);
    t.match(text, /^#.*DEST/m, program);
  }
});

t.test('a port goes to restic’s ssh in the form that ssh knows', async (t) => {
  const script = moreRecipes.find(({ program }) => program === 'restic')?.script;
  const at = (destination: string): string | undefined => script?.({ destination, viassh: '', remoteShell: 'sh' });
  t.match(at('host:22'), "sftp.command='sh ssh://host:22 -s sftp'");
  t.match(at('host'), "sftp.command='sh host -s sftp'");
});

import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { onBothTransports } from './both-transports.ts';
import { makeMailBench, skipWithout } from './mail-bench.ts';

const packages = {
  viassh: import.meta.resolve('viassh/package.json'),
  imapflow: import.meta.resolve('imapflow/package.json'),
};

onBothTransports(
  'imapflow reads every mail by the module that the recipe makes, and nothing keeps the process',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    await mkdir(join(bench.home, 'node_modules'));
    for (const [name, manifest] of Object.entries(packages))
      await symlink(dirname(fileURLToPath(manifest)), join(bench.home, 'node_modules', name));
    await bench.apply('imapflow');
    await bench.write(
      'read.mjs',
      `import { openMailbox } from './viassh-mailbox.mjs';
const client = await openMailbox({ ssh: ${JSON.stringify({ configFile: bench.sshd.configFile, transport })} });
await client.mailboxOpen('INBOX');
const found = await client.search({ subject: 'Minutes' });
const ids = [];
for await (const { source } of client.fetch('1:*', { source: true })) ids.push(/^Message-Id: (.*)\\r$/m.exec(source)[1]);
console.log(JSON.stringify({ found, ids }));
await client.logout();
`,
    );
    const { code, stdout, stderr } = await bench.run(process.execPath, ['read.mjs']);
    t.equal(code, 0, stderr);
    const ids = bench.mailbox.messages.map(({ messageId }) => messageId);
    t.strictSame(JSON.parse(stdout.toString()), { found: [1, 4], ids });
    t.equal(stderr, '');
  },
  await skipWithout(),
);

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capabilities } from '@viassh/core';
import { findSshd, missingForSshd, startSshd } from '@viassh/testing';
import t from 'tap';
import { connect } from 'viassh';

const architecture = join(import.meta.dirname, '../../../ARCHITECTURE.md');

const skip = (await missingForSshd()) ?? false;

for (const transport of ['openssh', 'ssh2'] as const) {
  t.test(`${transport} lacks what ARCHITECTURE.md says that it lacks, and nothing else`, { skip }, async (t) => {
    await using sshd = await startSshd();
    await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
    const lacking = capabilities.filter((capability) => !connection.capabilities.has(capability));
    t.strictSame(lacking, transport === 'openssh' ? await listed() : []);
  });
}

/** The sentence "All that may be missing …": what it says of the openssh transport. */
async function listed(): Promise<readonly string[]> {
  const text = await readFile(architecture, 'utf8');
  const sentence = /All that may be missing[^]*?\n\* /.exec(text)?.[0] ?? '';
  const [major = 0, minor = 0] = (await findSshd())?.version ?? []; // ssh comes with it
  const old = major < 8 || (major === 8 && minor < 5);
  return capabilities.filter(
    (capability) => sentence.includes(`\`${capability}\``) && (capability !== 'custom-host-key-verifier' || old),
  );
}

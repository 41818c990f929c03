import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sshd } from '@viassh/testing';

/** An sshd as seen from far away. */
export interface FarSshd extends AsyncDisposable {
  readonly sshd: Sshd;
}

/** Puts a delay of `rttMs`, there and back, before an sshd. TCP's own handshake is not delayed. */
export async function farAway(sshd: Sshd, rttMs: number): Promise<FarSshd> {
  const args = [join(import.meta.dirname, 'delay-relay.ts'), String(sshd.port), String(rttMs / 2)];
  const relay = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await once(relay.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  const configFile = join(sshd.folder, `far_config_${rttMs}`);
  const config = await readFile(sshd.configFile, 'utf8');
  await writeFile(configFile, config.replace(/^(\s*Port\s+)\d+$/m, `$1${port}`), { mode: 0o644 });
  return {
    sshd: { ...sshd, port, configFile },
    async [Symbol.asyncDispose]() {
      const gone = once(relay, 'exit');
      relay.stdin.end();
      await gone;
    },
  };
}

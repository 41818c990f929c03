import { setTimeout as delay } from 'node:timers/promises';
import type { Sshd } from '@viassh/testing';
import type { Link } from './link.ts';
import { firstByte } from './one-shot.ts';
import { sshProgram, timed, viasshProgram } from './programs.ts';
import type { Contestant, Race } from './race.ts';
import { sharedSshLink } from './ssh-link.ts';
import { ssh2Link } from './ssh2-link.ts';
import { viasshLink } from './viassh-link.ts';

/** What the races are about. */
export interface FarOptions {
  /** Far away by `rttMs`. */
  readonly sshd: Sshd;
  readonly rttMs: number;
  readonly repetitions: number;
}

const DOWN = 64 * 1024 * 1024;

/** Races in which the round trips are what costs. */
export function farRaces({ sshd, rttMs, repetitions }: FarOptions): Race[] {
  const ours = [
    { name: 'viassh library, openssh', open: () => viasshLink(sshd, 'openssh') },
    { name: 'viassh library, ssh2', open: () => viasshLink(sshd, 'ssh2') },
    { name: 'npm ssh2', open: () => ssh2Link(sshd) },
  ];
  const warm = [{ name: 'ssh -S socket', open: () => sharedSshLink(sshd) }, ...ours];
  const far = `at ${rttMs} ms RTT`;
  return [
    {
      title: `cold first byte ${far}`,
      repetitions,
      rttMs,
      contestants: [
        ...[sshProgram(sshd), viasshProgram(sshd, 'openssh'), viasshProgram(sshd, 'ssh2')].map(firstByte),
        ...ours.map(({ name, open }) => ({
          name,
          run: async () => {
            const before = performance.now();
            await using link = await open();
            const connected = performance.now() - before;
            return connected + (await link.firstByte('echo x'));
          },
        })),
      ],
    },
    {
      title: `warm first byte ${far}`,
      repetitions: repetitions * 2,
      rttMs,
      contestants: warm.map(({ name, open }) =>
        opened(name, open, async (link) => {
          await delay(rttMs * 3); // what is opened ahead has the time that it has between two commands
          return await link.firstByte('echo x');
        }),
      ),
    },
    {
      title: `64 MiB down ${far}`,
      repetitions,
      rttMs,
      contestants: warm.map(({ name, open }) =>
        opened(name, open, (link) =>
          timed(async () => {
            const came = await link.download(`head -c ${DOWN} /dev/zero`);
            if (came !== DOWN) throw new Error(`${came} bytes came instead of ${DOWN}`);
          }),
        ),
      ),
    },
  ];
}

function opened(name: string, open: () => Promise<Link>, job: (link: Link) => Promise<number>): Contestant {
  let link: Link | undefined;
  return {
    name,
    run: async () => await job((link ??= await open())),
    close: async () => await link?.[Symbol.asyncDispose](),
  };
}

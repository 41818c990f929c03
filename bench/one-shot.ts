import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Sshd } from '@viassh/testing';
import { ended, type Program, sshProgram, start, timed, viasshProgram } from './programs.ts';
import type { Contestant, Race } from './race.ts';

/** What the races are about. */
export interface OneShotOptions {
  readonly sshd: Sshd;
  /** Of the throughput races. */
  readonly bytes: number;
  readonly repetitions: number;
  /** A file of `bytes` bytes. */
  readonly file: string;
}

const gcm = ['-o', 'Ciphers=aes128-gcm@openssh.com'];

/** Whole runs of a program: connect, carry, end. */
export function oneShotRaces({ sshd, bytes, repetitions, file }: OneShotOptions): Race[] {
  return [
    ...[
      { ciphers: 'aes128-gcm', options: gcm },
      { ciphers: 'default ciphers', options: [] },
    ].flatMap(({ ciphers, options }): Race[] => {
      const programs = [
        sshProgram(sshd, options),
        viasshProgram(sshd, 'openssh', options),
        viasshProgram(sshd, 'ssh2', options),
      ];
      return [
        {
          title: `one-shot, down, ${ciphers}`,
          repetitions,
          bytes,
          contestants: programs.map((program) => download(program, bytes)),
        },
        {
          title: `one-shot, up, ${ciphers}`,
          repetitions,
          bytes,
          contestants: programs.map((program) => upload(program, file)),
        },
      ];
    }),
    {
      title: 'one-shot, start to first byte',
      repetitions: repetitions * 3,
      contestants: [
        sshProgram(sshd),
        viasshProgram(sshd, 'openssh'),
        viasshProgram(sshd, 'ssh2'),
        { name: 'node alone, no ssh at all', file: process.execPath, args: ['-e', 'process.stdout.write("x")'] },
      ].map(firstByte),
    },
  ];
}

function download(program: Program, bytes: number): Contestant {
  return {
    name: program.name,
    run: () => timed(() => ended(program, start(program, `head -c ${bytes} /dev/zero`, 'ignore', 'ignore'))),
  };
}

function upload(program: Program, file: string): Contestant {
  return {
    name: program.name,
    async run() {
      await using input = await open(file);
      return await timed(() => ended(program, start(program, 'cat >/dev/null', input.fd, 'ignore')));
    },
  };
}

function firstByte(program: Program): Contestant {
  return {
    name: program.name,
    async run() {
      const before = performance.now();
      const child = start(program, 'echo x', 'ignore', 'pipe');
      await once(child.stdout ?? child, 'data');
      const took = performance.now() - before;
      await ended(program, child);
      return took;
    },
  };
}

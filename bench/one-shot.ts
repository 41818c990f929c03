import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Sshd } from '@viassh/testing';
import {
  ended,
  handOverProgram,
  type Program,
  sshProgram,
  start,
  timed,
  viasshAlone,
  viasshProgram,
} from './programs.ts';
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
  const handedOver = handOverProgram(sshd);
  return [
    ...[
      { ciphers: 'aes128-gcm', options: gcm },
      { ciphers: 'default ciphers', options: [] },
    ].flatMap(({ ciphers, options }): Race[] => {
      const programs = [
        sshProgram(sshd, options),
        viasshProgram(sshd, 'openssh', options),
        handOverProgram(sshd, options),
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
      title: 'cold, whole process',
      repetitions: repetitions * 3,
      contestants: [sshProgram(sshd), viasshProgram(sshd, 'openssh'), handedOver, viasshProgram(sshd, 'ssh2')].map(
        whole,
      ),
    },
    {
      title: 'start-up alone',
      repetitions: repetitions * 3,
      contestants: [
        { name: 'node -e 0', file: process.execPath, args: ['-e', '0'] },
        viasshAlone('--version'),
        viasshAlone('--help'),
        viasshAlone('plugins'),
      ].map(alone),
    },
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

/** Start, `true`, end. */
function whole(program: Program): Contestant {
  return { name: program.name, run: () => timed(() => ended(program, start(program, 'true', 'ignore', 'ignore'))) };
}

/** Without a remote command. */
function alone(program: Program): Contestant {
  const { name, file, args } = program;
  return { name, run: () => timed(() => ended(program, spawn(file, args, { stdio: 'ignore' }))) };
}

/** From the start of the program to the first byte that the far end wrote. */
export function firstByte(program: Program): Contestant {
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

import type { Sshd } from '@viassh/testing';
import type { Link } from './link.ts';
import { timed } from './programs.ts';
import type { Contestant, Race } from './race.ts';
import { sharedSshLink, sshLink } from './ssh-link.ts';
import { ssh2Link } from './ssh2-link.ts';
import { viasshLink } from './viassh-link.ts';

/** What the races are about. */
export interface LibraryOptions {
  readonly sshd: Sshd;
  readonly bytes: number;
  readonly repetitions: number;
}

interface Way {
  readonly name: string;
  readonly open: () => Promise<Link>;
}

/** Bytes that a Node program takes or gives: with the connect, and over a connection that is there. */
export function libraryRaces({ sshd, bytes, repetitions }: LibraryOptions): Race[] {
  const ours: Way[] = [
    { name: 'viassh, openssh', open: () => viasshLink(sshd, 'openssh') },
    { name: 'viassh, ssh2', open: () => viasshLink(sshd, 'ssh2') },
    { name: 'npm ssh2', open: () => ssh2Link(sshd) },
  ];
  const cold = [{ name: 'ssh | node', open: async () => sshLink(sshd) }, ...ours];
  const warm = [{ name: 'ssh -S socket | node', open: () => sharedSshLink(sshd) }, ...ours];
  const download = async (link: Link): Promise<void> => {
    const came = await link.download(`head -c ${bytes} /dev/zero`);
    if (came !== bytes) throw new Error(`${came} bytes came instead of ${bytes}`);
  };
  const upload = (link: Link): Promise<void> => link.upload('cat >/dev/null', bytes);
  const race = (title: string, contestants: Contestant[]): Race => ({ title, repetitions, bytes, contestants });
  return [
    race(
      'library, connect and down',
      cold.map((way) => withConnect(way, download)),
    ),
    race(
      'library, connect and up',
      cold.map((way) => withConnect(way, upload)),
    ),
    race(
      'library, down',
      warm.map((way) => connected(way, download)),
    ),
    race(
      'library, up',
      warm.map((way) => connected(way, upload)),
    ),
    {
      title: 'library, exec true over a connection',
      repetitions: repetitions * 6,
      contestants: warm.map((way) => connected(way, async (link) => void (await link.download('true')))),
    },
  ];
}

function withConnect({ name, open }: Way, job: (link: Link) => Promise<void>): Contestant {
  return {
    name,
    run: () =>
      timed(async () => {
        await using link = await open();
        await job(link);
      }),
  };
}

function connected({ name, open }: Way, job: (link: Link) => Promise<void>): Contestant {
  let link: Link | undefined;
  return {
    name,
    async run() {
      const opened = (link ??= await open());
      return await timed(() => job(opened));
    },
    close: async () => await link?.[Symbol.asyncDispose](),
  };
}

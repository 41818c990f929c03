import { quoteWord, type ProgramFailure, type Recipe, type RemoteShellProgram } from '@viassh/core';
import { explainStartupNoise } from '../startup-noise.ts';
import { gitAccount } from './git-account.ts';

const recipe: Recipe = {
  program: 'git',
  summary: 'git config: core.sshCommand',
  script: ({ destination, remoteShell }) =>
    `${[
      '# For all repositories of this user; without --global, for the one of this folder.',
      `git config --global core.sshCommand ${quoteWord(remoteShell)}`,
      '# Says that it takes the options of ssh: a port, and the request for protocol version 2.',
      'git config --global ssh.variant ssh',
      `# Try: git ls-remote ssh://${destination.replace(/^ssh:\/\//, '').replaceAll(/\s+/g, ' ')}/PATH`,
    ].join('\n')}\n`,
};

/**
 * git over our remote shell. GIT_SSH_COMMAND is what git asks first: it wins over core.sshCommand and over what the
 * caller's own environment says, because who calls `viassh git` wants viassh. git reads it as a command of sh.
 */
export const gitProgram: RemoteShellProgram = {
  name: 'git',
  summary: 'git over viassh',
  recipes: [recipe],
  accounts: [gitAccount],
  call: (args, { path }) => ({
    file: 'git',
    args,
    env: { GIT_SSH_COMMAND: quoteWord(path), GIT_SSH: path, GIT_SSH_VARIANT: 'ssh' },
  }),
  async explain(failure: ProgramFailure) {
    const { code, args } = failure;
    const destination = code === 128 ? repositoryHost(args) : undefined; // git's die()
    return destination === undefined ? undefined : await explainStartupNoise(failure, destination);
  },
};

const remoteCommands = new Set(['clone', 'ls-remote', 'fetch', 'pull', 'push']);

/**
 * The destination in the arguments of git, when they name one: a remote that only the repository knows is not there.
 * Behind the first word that is a repository there are refspecs, which look like `host:path` too.
 */
function repositoryHost(args: readonly string[]): string | undefined {
  const at = args.findIndex((word) => remoteCommands.has(word));
  if (at < 0) return undefined;
  const words = args.slice(at + 1).filter((word) => !word.startsWith('-') && !/^\d+$/.test(word));
  const found = words.map(hostOf);
  return args[at] === 'clone' ? found.find((host) => host !== undefined) : found[0];
}

/** `ssh://[user@]host[:port]/…`, `[user@]host:path`, `[host:port]:path`: git-fetch(1), GIT URLS. */
function hostOf(word: string): string | undefined {
  if (word.includes('://')) return /^(?:git\+ssh|ssh\+git|ssh):\/\/([^/]+)/.exec(word)?.[1];
  const bracketed = /^([^[\]/:]+@)?\[([^[\]/]+)\]:/.exec(word);
  if (bracketed === null) return /^([^/:]+):/.exec(word)?.[1];
  const [, user = '', inner = ''] = bracketed;
  return inner.split(':').length > 2 ? `${user}[${inner}]` : `${user}${inner}`;
}

import {
  defineAccount,
  parseDestination,
  type ProgramFailure,
  type ProgramOutput,
  quoteCommand,
  quoteWord,
  type Recipe,
  type RemoteShellProgram,
  sanitize,
  ViasshError,
} from '@viassh/core';
import { readRecipeDestination } from './recipe-destination.ts';
import { firstRemotePlace, namesRemoteShell, remoteShellWord, rsyncOperands, remotePlace } from '../rsync/operands.ts';

const recipe: Recipe = {
  program: 'rsync',
  summary: 'rsync over viassh, by RSYNC_RSH in ~/.profile',
  script({ destination, remoteShell }) {
    const { user, host, port } = readRecipeDestination(destination);
    const value = quoteWord(port === undefined ? remoteShell : `${remoteShell} -p ${port}`);
    const place = `${user === undefined ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}`;
    const line = quoteWord(`export RSYNC_RSH=${value}`);
    return `# rsync starts what RSYNC_RSH names, in place of ssh; rsync -e wins over it.
${port === undefined ? '' : `# It is for every host, and so is port ${port}: where they differ, leave it away here and say Port in ~/.ssh/config.\n`}\
export RSYNC_RSH=${value}
# The same for every login from now on.
grep -qxF ${line} ~/.profile 2>/dev/null || printf '\\n%s\\n' ${line} >>~/.profile
# Then: rsync -a folder/ ${place}:folder/
# An rsync daemon's module (host::module) takes the remote shell only from the command line:
#       rsync -e "$RSYNC_RSH" ${place}::module
`;
  },
};

const account = defineAccount({
  program: 'rsync',
  summary: 'rsync, in one folder and nowhere else',
  options: {
    directory: {
      type: 'string',
      valueName: 'DIR',
      summary: 'the folder, absolute or below the home',
      default: 'rsync',
    },
    readOnly: { type: 'boolean', summary: 'this key may only fetch' },
    writeOnly: { type: 'boolean', summary: 'this key may only bring' },
    noDelete: { type: 'boolean', summary: 'this key may not delete' },
    checker: {
      type: 'string',
      valueName: 'rrsync|viassh',
      summary: 'what looks at the commands: the script that comes with rsync, or viassh rrsync',
      default: 'rrsync',
    },
  },
  lines({ directory, readOnly, writeOnly, noDelete, checker }, { viassh }) {
    if (readOnly && writeOnly)
      throw new ViasshError('OPTION_INVALID', '--read-only and --write-only do not go together', {
        hint: 'leave both away for a key that may fetch and bring',
      });
    if (/^[-~]/.test(directory) || /\p{Cc}/u.test(directory))
      throw new ViasshError('OPTION_INVALID', `--directory cannot be '${directory}'`, {
        hint: 'write an absolute path, or one that begins below the home',
      });
    if (checker !== 'rrsync' && checker !== 'viassh')
      throw new ViasshError('OPTION_INVALID', `--checker wants rrsync or viassh, not '${checker}'`, {
        hint: 'rrsync comes with rsync; viassh rrsync is for servers that have none',
      });
    const limits = [
      ...(readOnly ? ['-ro'] : []),
      ...(writeOnly ? ['-wo'] : []),
      ...(noDelete ? ['-no-del'] : []),
      directory,
    ];
    // rrsync by default: it needs nothing of ours on the server, and is kept safe with the rsync it belongs to.
    const command =
      checker === 'rrsync' ? quoteCommand(['/usr/bin/rrsync', ...limits]) : `${viassh} rrsync ${quoteCommand(limits)}`;
    return {
      command,
      notes: [
        `the folder has to be there: mkdir -p ${quoteWord(directory)}`,
        ...(isHome(directory) && !readOnly
          ? ['this folder is the home: who may write there can give himself other rights, in .ssh/authorized_keys']
          : []),
        checker === 'rrsync' ? '/usr/bin/rrsync comes with rsync' : 'viassh rrsync needs Linux and rsync 3.5 or newer',
      ],
    };
  },
});

/** rsync over our remote shell. */
export const rsyncProgram: RemoteShellProgram = {
  name: 'rsync',
  summary: 'rsync over viassh',
  recipes: [recipe],
  accounts: [account],
  call(args, { path }) {
    const places = rsyncOperands(args).map(remotePlace);
    // To a daemon rsync dials by itself, in the clear, unless -e is on its command line. A later -e, the user's, wins.
    const daemon = places.some((place) => place?.daemon === true);
    const shell = remoteShellWord(path);
    return { file: 'rsync', args: daemon ? ['-e', shell, ...args] : args, env: { RSYNC_RSH: shell } };
  },
  explain,
};

const SHOWN = 80;

async function explain(failure: ProgramFailure): Promise<string | undefined> {
  const { code, args } = failure;
  const place = firstRemotePlace(args);
  if (place === undefined || ![2, 5, 12, 127].includes(code)) return undefined; // 255: the remote shell has said why
  if (code === 127) return notInstalled(place.destination);
  if (namesRemoteShell(args)) return undefined; // by our way the name may lead to another machine
  const noise = await asked(failure, place.destination, 'true');
  if (noise === undefined) return undefined;
  if (noise.stdout !== '') {
    const [shown] = [sanitize(noise.stdout.slice(0, SHOWN))];
    return (
      `${place.destination} prints '${shown}' before any command: a start-up file of the account (.bashrc, .cshrc, ` +
      '/etc/profile) says something, and rsync takes it for its protocol. Let it print only at a terminal, in sh and ' +
      'bash: case $- in *i*) echo hello ;; esac'
    );
  }
  const version = await asked(failure, place.destination, 'rsync --version');
  return version?.exit.kind === 'status' && version.exit.code === 127 ? notInstalled(place.destination) : undefined;
}

function notInstalled(destination: string): string {
  return `rsync is not installed on ${destination}, or not in the PATH there: install it, or say where it is with --rsync-path`;
}

async function asked(
  failure: ProgramFailure,
  destination: string,
  command: string,
): Promise<ProgramOutput | undefined> {
  try {
    parseDestination(destination);
    return await failure.ask(destination, command);
  } catch {
    return undefined; // nothing to add to what rsync said
  }
}

function isHome(directory: string): boolean {
  return /^(?:\.\/?)+$/.test(directory);
}

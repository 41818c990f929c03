/**
 * Makes a folder on the far end the same as one here, by rsync, and says how far it is.
 *
 *     node sync-folder.ts [-F SSH_CONFIG] [--transport openssh|ssh2] FOLDER DEST:REMOTE_FOLDER
 */
import { parseArgs } from 'node:util';
import { isViasshError, rsync } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string', short: 'F' }, transport: { type: 'string' } },
});
const [folder, destination] = positionals;

try {
  if (folder === undefined || destination === undefined)
    throw new Error('usage: sync-folder.ts [-F SSH_CONFIG] FOLDER DEST:REMOTE_FOLDER');
  const { files, transferred, deleted } = await rsync(`${folder}/`, destination, {
    args: ['--archive', '--delete', '--mkpath'],
    // What the remote shell is to know beside what rsync tells it.
    env: {
      VIASSH_TRANSPORT: values.transport,
      VIASSH_SSH_OPTIONS: values.config === undefined ? undefined : JSON.stringify(['-F', values.config]),
    },
    onProgress: ({ percent, complete }) => console.error(`${percent} %${complete ? '' : ' of what is known so far'}`),
  });
  console.log(`${files} files and folders, ${transferred} of them sent, ${deleted} deleted there`);
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}

/**
 * Copies a folder to the far end: tar here, tar there, one pipe between.
 *
 *     node upload-tar.ts [-F SSH_CONFIG] [--transport openssh|ssh2] DEST FOLDER REMOTE_FOLDER
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { parseArgs } from 'node:util';
import { connect, exitCodeOf, isViasshError, type LibraryOptions, quoteWord } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string', short: 'F' }, transport: { type: 'string' } },
});
const [destination, folder, remoteFolder] = positionals;

try {
  if (destination === undefined || folder === undefined || remoteFolder === undefined) {
    throw new Error('usage: upload-tar.ts [-F SSH_CONFIG] DEST FOLDER REMOTE_FOLDER');
  }
  await using connection = await connect(destination, {
    configFile: values.config,
    transport: values.transport as LibraryOptions['transport'],
  });
  using tar = spawn('tar', ['cf', '-', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(tar, 'spawn');
  const packed = once(tar, 'close');
  const archive = tar.stdout.pipe(new PassThrough()); // Node throws away what nobody reads when a program ends

  const place = quoteWord(remoteFolder); // the far end's shell reads the command
  const upload = await connection.pipe(`mkdir -p -- ${place} && tar xf - -C ${place}`, {
    stdin: archive,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  using _ = setInterval(() => console.error(mebibytes(upload.progress.sent)), 1000);

  const there = exitCodeOf(await upload.exit);
  tar.stdout.destroy(); // when the far end gave up early, tar here must not wait for a reader
  const [here, signal] = await packed;
  console.error(`${mebibytes(upload.progress.sent)}; tar here: ${here ?? signal}, there: ${there}`);
  process.exitCode = there || (here === 0 ? 0 : 1);
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB sent`;
}

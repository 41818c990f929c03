// For node's --import, with --expose-gc: on SIGPWR the file that TELL_MEMORY names gets the bytes that cannot be collected.
import { writeFileSync } from 'node:fs';
import process from 'node:process';

process.on('SIGPWR', () => {
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc(); // what the first has found to be of no use any more is let go by now
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(process.env['TELL_MEMORY'], `${heapUsed + external}\n`, { flag: 'a' });
  });
});

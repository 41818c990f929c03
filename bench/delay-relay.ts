/**
 * A relay as a program of its own, so that it takes no time from a contestant: `node delay-relay.ts PORT MS`. Dials
 * 127.0.0.1:PORT for whoever connects, and hands every byte on MS milliseconds later, in order and as fast as it comes.
 * Prints its own port; ends with its stdin.
 */
import { connect, createServer, type Socket } from 'node:net';

const [port, ms] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true, allowHalfOpen: true });
  late(near, far);
  late(far, near);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port));
process.stdin.resume().once('end', () => process.exit());

/** One direction: what is read is written when its time has come. */
function late(from: Socket, to: Socket): void {
  const waiting: { readonly due: number; readonly deliver: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const send = (deliver: () => void): void => {
    waiting.push({ due: performance.now() + (ms ?? 0), deliver });
    timer ??= setTimeout(flush, ms);
  };
  const flush = (): void => {
    timer = undefined;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const left = next.due - performance.now();
      if (left > 0.5) return void (timer = setTimeout(flush, left));
      waiting.shift();
      next.deliver();
    }
  };
  from.on('data', (chunk) => send(() => to.write(chunk)));
  from.on('end', () => send(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => send(() => to.destroySoon()));
}

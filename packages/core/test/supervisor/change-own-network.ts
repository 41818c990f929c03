/** Runs in a network namespace of its own: changes the network there, and prints what the watch tells of it. */
import { execFileSync } from 'node:child_process';
import { type Clock, type NetworkChange, systemClock, watchNetwork } from '@viassh/core';

const looked = Promise.withResolvers<void>();
const clock: Clock = {
  ...systemClock,
  setTimeout(callback) {
    looked.resolve();
    return systemClock.setTimeout(callback, 20);
  },
};
const told: NetworkChange[] = [];
let next = Promise.withResolvers<void>();

function ip(...commands: readonly string[]): void {
  for (const command of commands) execFileSync('ip', command.split(' '));
}

async function until(done: (all: { gone: string[]; come: string[] }) => boolean): Promise<void> {
  for (;;) {
    const all = { gone: told.flatMap(({ gone }) => gone), come: told.flatMap(({ come }) => come) };
    if (done(all)) {
      console.log(JSON.stringify({ gone: all.gone.toSorted(), come: all.come.toSorted() }));
      told.length = 0;
      return;
    }
    await next.promise;
  }
}

ip('link set lo up', 'link add d0 type veth peer name d1', 'link set d0 up', 'link set d1 up');
const keepAlive = setInterval(() => undefined, 1000);
const watch = watchNetwork((change) => {
  told.push(change);
  next.resolve();
  next = Promise.withResolvers();
}, clock);
await looked.promise;
ip('addr add 192.0.2.1/24 dev d0');
await until(({ come }) => come.length >= 2);
ip('route add default via 192.0.2.254');
await until(({ come }) => come.length >= 1);
ip('link add v0 type veth peer name v1', 'link set v0 up', 'link set v1 up', 'link delete v0'); // a container that came and went
ip('-6 addr add 2001:db8::1/64 dev d0 nodad');
await until(({ come }) => come.length >= 3);
ip('addr flush dev d0');
await until(({ gone }) => gone.length >= 6);
watch[Symbol.dispose]();
clearInterval(keepAlive);

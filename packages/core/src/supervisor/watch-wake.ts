import type { Clock } from './clock.ts';

const TICK_MS = 500;
/** More than a busy process is late by, or a time server corrects at once. */
const JUMP_MS = 2000;

/**
 * Tells when this machine or this process has stood still, or somebody has set the clock: what was known of the network is
 * worth nothing then. Within half a second after the wake.
 */
export function watchWake(clock: Clock, woke: (what: string) => void): Disposable {
  let [now, wall] = [clock.now(), clock.wall()];
  let timer = clock.setTimeout(tick, TICK_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clock.clearTimeout(timer) };

  function tick(): void {
    const [passed, wallPassed] = [clock.now() - now, clock.wall() - wall];
    [now, wall] = [clock.now(), clock.wall()];
    timer = clock.setTimeout(tick, TICK_MS);
    timer.unref();
    if (Math.abs(wallPassed - passed) > JUMP_MS) woke(`the clock jumped by ${seconds(wallPassed - passed)}`);
    else if (passed > TICK_MS + JUMP_MS) woke(`this process stood still for ${seconds(passed)}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

import { readFile } from 'node:fs/promises';
import { endianness, networkInterfaces } from 'node:os';
import { type Clock, systemClock } from './clock.ts';

const TICK_MS = 1000;

/** What has changed in the network of this machine. */
export interface NetworkChange {
  /** Addresses and routes that are there no more: what went by them is likely dead. */
  readonly gone: readonly string[];
  /** Those that are new: what could not be reached may be now. */
  readonly come: readonly string[];
}

/** Tells of changes until it is disposed of. */
export type NetworkWatch = (changed: (change: NetworkChange) => void) => Disposable;

/** Looks once a second. Where there is no /proc, at the addresses alone. */
export function watchNetwork(
  changed: (change: NetworkChange) => void,
  clock: Clock = systemClock,
  look: () => Promise<ReadonlySet<string>> = readNetwork,
): Disposable {
  let known: ReadonlySet<string> | undefined;
  let over = false;
  let timer: ReturnType<Clock['setTimeout']> | undefined;
  void tick();
  return {
    [Symbol.dispose]() {
      over = true;
      clock.clearTimeout(timer);
    },
  };

  async function tick(): Promise<void> {
    const found = await look();
    if (over) return;
    timer = clock.setTimeout(() => void tick(), TICK_MS);
    timer.unref();
    const before = known ?? found;
    known = found;
    const change = { gone: without(before, found), come: without(found, before) };
    if (change.gone.length > 0 || change.come.length > 0) changed(change);
  }
}

function without(all: ReadonlySet<string>, known: ReadonlySet<string>): string[] {
  return [...all].filter((entry) => !known.has(entry));
}

/** Addresses and routes that lead somewhere: a container that starts or stops on this machine changes none of them. */
async function readNetwork(): Promise<ReadonlySet<string>> {
  const [ipv4, ipv6] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map((file) => readFile(file, 'latin1').catch(() => '')),
  );
  return new Set([...addresses(), ...ipv4Routes(ipv4 ?? ''), ...ipv6Routes(ipv6 ?? '')]);
}

function addresses(): string[] {
  try {
    return Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
      all
        .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
        .map(({ address }) => `${address} on ${name}`),
    );
  } catch {
    return []; // some systems do not let everybody see them
  }
}

/** As /proc/net/route has them: interface, destination, gateway, flags, two counters, metric, mask. */
function ipv4Routes(text: string): string[] {
  return fields(text)
    .slice(1)
    .map(
      ([name, to = '', by = '', , , , metric, mask = '']) =>
        `route ${ipv4(to)}/${ipv4(mask)} by ${ipv4(by)} on ${name}, metric ${metric}`,
    );
}

/** Eight hexadecimal digits: a number as this machine has it in its memory. */
function ipv4(hex: string): string {
  const bytes = [...Buffer.from(hex, 'hex')];
  return (endianness() === 'LE' ? bytes.toReversed() : bytes).join('.');
}

const RTF_CACHE = 0x01000000; // linux/ipv6_route.h: made by the kernel for one peer, and gone again

/** As /proc/net/ipv6_route has them: destination, source, gateway, metric, two counters, flags, interface. */
function ipv6Routes(text: string): string[] {
  return fields(text)
    .filter(
      ([to = '', , , , , , , , flags = '', name]) =>
        name !== 'lo' && !/^(?:fe8|ff)/.test(to) && (Number.parseInt(flags, 16) & RTF_CACHE) === 0,
    )
    .map(([to = '', bits = '', , , by = '', metric = '', , , , name]) => {
      const [length, order] = [Number.parseInt(bits, 16), Number.parseInt(metric, 16)];
      return `route ${ipv6(to)}/${length} by ${ipv6(by)} on ${name}, metric ${order}`;
    });
}

/** 32 hexadecimal digits, in the order of the wire. */
function ipv6(hex: string): string {
  const groups = hex.match(/.{4}/g) ?? [];
  return groups
    .map((group) => group.replace(/^0{1,3}/, ''))
    .join(':')
    .replace(/(?:^|:)0(?::0)+(?::|$)/, '::');
}

function fields(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

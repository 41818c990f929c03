/** Does one thing with a device, in the network namespace that it is started in, and prints what came of it as JSON. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import process from 'node:process';
import { isViasshError } from '@viassh/core';
import { openTunDevice } from '@viassh/linux';
import { echoReply, echoRequest, waitUntil } from '@viassh/testing';

const ip = (words: string): string => execFileSync('ip', words.split(' '), { encoding: 'utf8' });
const [what = '', argument = ''] = process.argv.slice(2);

/** 10.9.0.1 is the kernel's, 10.9.0.2 is us. */
const ours = { from: '10.9.0.2', to: '10.9.0.1' };

const deeds: Record<string, () => Promise<unknown>> = {
  async echo() {
    await using device = await openTunDevice({ mode: 'point-to-point', name: 'vt%d', mtu: 1300 });
    ip(`address add 10.9.0.1 peer 10.9.0.2 dev ${device.name}`);
    ip(`link set ${device.name} up`);
    const payload = randomBytes(1200);
    const answers: number[] = [];
    device.onPackets((packets) => {
      for (const packet of packets) {
        const reply = echoReply(packet);
        if (reply?.payload.equals(payload) === true) answers.push(reply.sequence);
      }
    });
    const questions = Array.from({ length: 200 }, (_, sequence) => echoRequest({ ...ours, sequence, payload }));
    const written = device.write([...questions, Buffer.alloc(20)]);
    await waitUntil('200 answers', () => answers.length === 200);
    const mtu = /mtu (\d+)/.exec(ip(`link show ${device.name}`))?.[1];
    return {
      name: device.name,
      mtu,
      written,
      answers: answers.every((sequence, index) => sequence === index),
      dropped: device.counters.dropped,
    };
  },

  /** TCP through two devices whose packets we carry, with segments to be cut and without. */
  async offload() {
    const vnetHeader = argument === 'vnet';
    const far = process.argv[4] ?? '';
    await using here = await openTunDevice({ mode: 'point-to-point', name: 'here', vnetHeader });
    await using there = await openTunDevice({ mode: 'point-to-point', name: 'there', vnetHeader });
    ip(`link set there netns ${far}`);
    ip('address add 10.9.0.1 peer 10.9.0.2 dev here');
    ip('link set here up');
    let longest = 0;
    here.onPackets((packets) => {
      for (const packet of packets) longest = Math.max(longest, packet.length);
      there.write(packets);
    });
    there.onPackets((packets) => void here.write(packets));
    writeSync(1, 'moved\n');
    await new Promise((resolve) => process.stdin.once('end', resolve).resume());
    return { longest, here: here.counters, there: there.counters };
  },

  /** Deleted while nothing is read, while it is read, and noticed first by who writes. */
  async deleted() {
    const results: string[] = [];
    for (const state of ['paused', 'read', 'written']) {
      await using device = await openTunDevice({ mode: 'point-to-point', name: 'gone' });
      if (state === 'read') device.onPackets(() => undefined);
      ip('link delete gone');
      if (state === 'written') device.write([echoRequest({ ...ours, sequence: 1 })]);
      results.push(await device.closed.then(() => 'closed', code));
      device.write([Buffer.alloc(20)]);
    }
    return results;
  },

  async pause() {
    await using device = await openTunDevice({ mode: 'point-to-point', name: 'vt0' });
    ip('address add 10.9.0.1 peer 10.9.0.2 dev vt0');
    ip('link set vt0 up');
    const seen: number[] = [];
    device.onPackets((packets) => {
      for (const packet of packets) {
        const reply = echoReply(packet);
        if (reply !== undefined) seen.push(reply.sequence);
      }
      device.pause();
    });
    const ask = (sequence: number): number => device.write([echoRequest({ ...ours, sequence })]);
    ask(1);
    await waitUntil('the first answer', () => {
      device.resume();
      return seen.includes(1);
    });
    device.pause(); // and what the kernel sends of its own stays outside as well
    ask(2);
    const before = device.counters.read;
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    const whilePaused = device.counters.read - before;
    device.resume();
    await waitUntil('the second answer', () => {
      device.resume();
      return seen.includes(2);
    });
    return { whilePaused };
  },

  async open() {
    const [mode, name] = argument.split(':');
    const kind = mode === 'tap' ? 'ethernet' : 'point-to-point';
    try {
      await using device = await openTunDevice({ mode: kind, name: name === '' ? undefined : name });
      return device.name;
    } catch (error) {
      return isViasshError(error) ? `${error.code} ${error.message}; ${error.hint}` : String(error);
    }
  },

  async hold() {
    await using device = await openTunDevice({ mode: 'point-to-point', name: argument });
    writeSync(1, 'held\n');
    await new Promise((resolve) => process.stdin.once('end', resolve).resume());
    return device.name;
  },

  /** The end of the process, with a device open that is read. */
  async exit() {
    const device = await openTunDevice({ mode: 'point-to-point', name: 'vt0' });
    device.onPackets(() => undefined);
    process.on('exit', () => writeSync(1, 'exits\n'));
    if (argument === 'exit') process.exit(7);
    if (argument === 'close') await device.close();
    return 'ends';
  },
};

const code = (error: unknown): string => (isViasshError(error) ? error.code : String(error));
const result = await deeds[what]?.();
writeSync(1, `${JSON.stringify(result)}\n`);

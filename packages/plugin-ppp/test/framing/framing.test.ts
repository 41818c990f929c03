import t from 'tap';
import { createDeframer, createFramer, type FrameForm, plainForm } from '@viassh/plugin-ppp';
import { randomBytesOf, seededRandom } from '../random.ts';

const short: FrameForm = { accm: 0, pfc: true, acfc: true };

/** What a deframer makes of a stream, cut into pieces. */
function framesOf(pieces: readonly Buffer[], { accm = 0, mru = 1500 }: { accm?: number; mru?: number } = {}) {
  const frames: { protocol: number; payload: string }[] = [];
  const deframer = createDeframer({
    mru,
    onFrame: (protocol, payload) => frames.push({ protocol, payload: payload.toString('hex') }),
  });
  deframer.accm = accm;
  for (const piece of pieces) deframer.receive(piece);
  return { frames, deframer };
}

t.test('an LCP frame has every control character escaped, address and control, whatever was agreed', async (t) => {
  const request = Buffer.from('010100140206000000000506a1b2c3d407020802', 'hex');
  const wire = '7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d26a1b2c3d47d277d227d287d22';
  const frame = createFramer(short).encode(0xc021, request);
  t.equal(frame.toString('hex').slice(0, wire.length), wire);
  t.equal(frame.at(-1), 0x7e);
});

t.test('the FCS is the one of the standard: the check value of CRC-16/X-25 is 0x906e', async (t) => {
  // The frame of the protocol 0x3132 ... is the ASCII text 123456789, without address and control.
  const frame = createFramer({ accm: 0, pfc: false, acfc: true }).encode(0x3132, Buffer.from('3456789'));
  t.equal(frame.toString('hex'), '7e' + Buffer.from('123456789').toString('hex') + '6e907e');
});

t.test('a packet arrives as it was sent, in every form, cut anywhere', async (t) => {
  const random = seededRandom(1);
  for (const form of [short, plainForm, { accm: 0x000a0000, pfc: false, acfc: true }]) {
    const packets = [0, 1, 7, 8, 9, 40, 300, 1500].map((length) => {
      const packet = randomBytesOf(random, length + 1);
      packet[0] = length % 2 ? 0x45 : 0x60;
      return packet;
    });
    const specials = Buffer.from([0x45, ...Array.from({ length: 256 }, (_, byte) => byte), 0x7e, 0x7d, 0x7d, 0x7e]);
    const wire = createFramer(form).encodePackets([...packets, specials]);
    const wanted = [...packets, specials].map((packet) => ({
      protocol: packet[0] === 0x45 ? 0x0021 : 0x0057,
      payload: packet.toString('hex'),
    }));
    for (const cut of [1, 2, 3, 7, 64, 1000, wire.length]) {
      const pieces = Array.from({ length: Math.ceil(wire.length / cut) }, (_, index) =>
        wire.subarray(index * cut, (index + 1) * cut),
      );
      const { frames, deframer } = framesOf(pieces, { accm: form.accm, mru: 1501 });
      t.same(frames, wanted, `accm ${form.accm}, pieces of ${cut}`);
      t.match(deframer.counters, { good: wanted.length, damaged: 0, aborted: 0, tooLong: 0, malformed: 0 });
    }
  }
});

t.test('control characters that something between has put in are taken out, where they would be escaped', async (t) => {
  const frame = createFramer(plainForm).encode(0x0021, Buffer.from('a\u0011b\u007d'));
  const dirty = Buffer.concat([...frame].map((byte) => Buffer.from([byte, 0x11, 0x13])));
  t.same(framesOf([dirty], { accm: 0xffffffff }).frames, [
    { protocol: 0x0021, payload: Buffer.from('a\u0011b\u007d').toString('hex') },
  ]);
  t.same(framesOf([dirty], { accm: 0 }).frames, [], 'and are a fault where they would not');
});

t.test('what is no frame is dropped, counted, and does not take the next one with it', async (t) => {
  const framer = createFramer(short);
  const good = framer.encodePackets([Buffer.from('4500', 'hex')]);
  const damaged = Buffer.from(good);
  damaged.writeUInt8(damaged.readUInt8(2) ^ 1, 2);
  const { frames, deframer } = framesOf([
    Buffer.concat([good, damaged, good, Buffer.from('7e017d7e', 'hex'), good]),
    framer.encode(0x21, Buffer.alloc(1501, 0x45)),
    Buffer.concat([Buffer.from([0x7e]), Buffer.alloc(9000, 0x45)]),
    Buffer.alloc(1_000_000, 0x7d),
    Buffer.concat([Buffer.from('7e7e7e017e', 'hex'), good]),
    framer.encode(0x00ff, Buffer.from('x')),
    framer.encode(0x0022, Buffer.from('x')),
  ]);
  t.equal(frames.length, 4);
  t.same(deframer.counters, { good: 4, damaged: 2, aborted: 1, tooLong: 2, malformed: 2 });
});

t.test('a handler that changes the ACCM changes it for the next frame of the same bytes', async (t) => {
  const seen: number[] = [];
  const deframer = createDeframer({
    mru: 1500,
    onFrame: (_protocol, payload) => {
      deframer.accm = 0;
      seen.push(payload.length);
    },
  });
  const packet = Buffer.alloc(64, 1);
  packet[0] = 0x45;
  deframer.receive(Buffer.concat([createFramer().encode(0xc021, packet), createFramer(short).encodePackets([packet])]));
  t.same(seen, [64, 64]);
});

t.test('bytes that come while a frame is handled wait for it: a link looped upon itself', async (t) => {
  const framer = createFramer(short);
  const seen: string[] = [];
  const deframer = createDeframer({
    mru: 1500,
    onFrame: (_protocol, payload) => {
      seen.push(payload.toString('latin1'));
      if (seen.length === 1) deframer.receive(framer.encode(0x21, Buffer.from('1 }~')));
      seen.push(payload.toString('latin1'));
    },
  });
  deframer.accm = 0;
  deframer.receive(framer.encode(0x21, Buffer.from('0 }~')));
  t.same(seen, ['0 }~', '0 }~', '1 }~', '1 }~']);
});

t.test('what comes before the first good frame is kept for a message, within a bound', async (t) => {
  const good = createFramer(short).encodePackets([Buffer.from('4500', 'hex')]);
  const prompt = 'Welcome\r\nuser@host:~$ pppd: not found~\r\n';
  t.equal(framesOf([Buffer.from(prompt), good]).deframer.noise.text, prompt, 'a tilde is a flag, and no frame');
  const bytes = Array.from(Buffer.concat([Buffer.from(prompt), good, Buffer.from('late')]), (byte) =>
    Buffer.from([byte]),
  );
  t.equal(framesOf(bytes).deframer.noise.text, prompt);
  t.equal(framesOf([good, Buffer.from(prompt)]).deframer.noise.text, '', 'what comes after it is not');
  t.equal(framesOf(Array.from({ length: 100 }, () => Buffer.alloc(1000, 'x'))).deframer.noise.text.length, 4096);
});

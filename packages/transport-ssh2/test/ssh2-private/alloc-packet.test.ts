import { createRequire } from 'node:module';
import t from 'tap';
import { allocPacket } from '../../src/ssh2-private/alloc-packet.ts';
import { supportedAlgorithms } from '../../src/ssh2-private/installed.ts';

interface Cipher {
  allocPacket(size: number): Buffer;
}

const { CIPHER_INFO, createCipher, init, MAC_INFO, NullCipher } = createRequire(import.meta.url)(
  'ssh2/lib/protocol/crypto.js',
) as {
  readonly CIPHER_INFO: Readonly<Record<string, { readonly keyLen: number; readonly ivLen: number }>>;
  readonly MAC_INFO: Readonly<Record<string, { readonly len: number }>>;
  readonly NullCipher: new (sequence: number, onWrite: () => void) => Cipher;
  readonly init: Promise<void>;
  createCipher(config: { outbound: object }): Cipher;
};

function protocolOf(cipher: Cipher, allocStart = 5) {
  const alloc = (size: number): Buffer => (allocStart === 5 ? cipher.allocPacket(size) : Buffer.alloc(size));
  return { _cipher: cipher, _packetRW: { write: { allocStart, alloc, finalize: (packet: Buffer) => packet } } };
}

async function ciphers(): Promise<Map<string, Cipher>> {
  await init;
  const all = new Map<string, Cipher>([['none', new NullCipher(0, () => undefined)]]);
  for (const name of supportedAlgorithms().ciphers) {
    const cipherInfo = CIPHER_INFO[name];
    if (cipherInfo === undefined) throw new Error(`nothing is known of ${name}`);
    for (const macName of ['hmac-sha2-256', 'hmac-sha2-256-etm@openssh.com']) {
      const macInfo = MAC_INFO[macName];
      const outbound = {
        onWrite: () => undefined,
        cipherInfo,
        cipherKey: Buffer.alloc(cipherInfo.keyLen),
        cipherIV: Buffer.alloc(cipherInfo.ivLen),
        seqno: 0,
        macInfo,
        macKey: Buffer.alloc(macInfo?.len ?? 0),
      };
      all.set(`${name}, ${macName}`, createCipher({ outbound }));
    }
  }
  return all;
}

t.test('packets of all ciphers are laid out as ssh2 lays them out, whatever their length', async (t) => {
  for (const [name, cipher] of await ciphers()) {
    const protocol = protocolOf(cipher);
    for (let size = 1; size < 5000; size += size < 70 ? 1 : 997) {
      const own = cipher.allocPacket(size);
      for (const packet of [allocPacket(protocol, size), allocPacket(protocol, size), allocPacket(protocol, size)]) {
        t.equal(packet.length, own.length, `${name}, ${size}`);
        t.strictSame(packet.subarray(0, 5), own.subarray(0, 5), `${name}, ${size}`);
      }
    }
  }
});

t.test('padding is random: none twice, and none left over from what was in memory', async (t) => {
  const protocol = protocolOf(new NullCipher(0, () => undefined));
  const size = 8; // 13 bytes with the header: padded by 11
  const seen = new Set<string>();
  const count = 20_000; // the pool is filled anew many times
  for (let index = 0; index < count; index += 1) seen.add(allocPacket(protocol, size).toString('latin1', 5 + size));
  t.equal(seen.size, count);
});

t.test('a bare payload stays one', async (t) => {
  const cipher = new NullCipher(0, () => undefined);
  allocPacket(protocolOf(cipher), 100);
  allocPacket(protocolOf(cipher), 100);
  t.equal(allocPacket(protocolOf(cipher, 0), 100).length, 100, 'of a cipher whose packets are known');
});

import { access } from 'node:fs/promises';
import { fingerprint, type HostKey, type Logger, parseHostKey, type ResolvedDestination, sanitize } from '@viassh/core';
import { listAgentKeys, signByAgent } from './agent-client.ts';
import { type KeyFile, parsePrivateKey, readKeyFile } from './key-file.ts';

/** A key to offer. The private half is touched only when the server would take it. */
export interface Identity {
  readonly publicKey: HostKey;
  /** `SHA256:… FILE`, or the agent's comment in place of the file. */
  readonly label: string;
  /** Signing asks nobody: neither an agent, which may want a confirmation or a touch, nor a person for a passphrase. */
  readonly signsSilently: boolean;
  /** @throws Error in plain words when it cannot sign after all. */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

/** The keys of a hop, and what stood in the way of others. */
export interface Identities {
  readonly usable: readonly Identity[];
  /** `FILE: reason`. */
  readonly skipped: readonly string[];
  readonly agent: 'none' | 'unreachable' | 'answered';
}

/** Asks for the passphrase of a key file; `undefined` when nobody answers. */
export type PassphrasePrompt = (file: string) => Promise<string | undefined>;

type Hop = Pick<
  ResolvedDestination,
  'identityFiles' | 'identitiesOnly' | 'identityAgent' | 'numberOfPasswordPrompts' | 'raw'
>;

const usableTypes = /^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521))$/;

/**
 * Collects keys in OpenSSH's order (sshconnect2.c, pubkey_prepare()): keys of the agent that are also IdentityFiles,
 * other keys of the agent unless IdentitiesOnly, then IdentityFiles that the agent does not hold. Never rejects.
 */
export async function collectIdentities(
  hop: Hop,
  askPassphrase: PassphrasePrompt,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<Identities> {
  const files = await Promise.all([...new Set(hop.identityFiles)].map(readKeyFile));
  const agent = await agentIdentities(hop.identityAgent, log, signal);
  const inFile = ({ publicKey }: Identity): boolean =>
    files.some((file) => file.publicKey?.blob.equals(publicKey.blob));
  const held = (file: KeyFile): boolean =>
    agent.keys.some(({ publicKey }) => file.publicKey?.blob.equals(publicKey.blob));
  const alone = files.filter((file) => !held(file));
  const offered = [
    ...agent.keys.filter(inFile),
    ...(hop.identitiesOnly ? [] : agent.keys.filter((key) => !inFile(key))),
    ...alone.flatMap((file) => fileIdentity(file, hop, askPassphrase) ?? []),
  ];
  const accepted = hop.raw.get('pubkeyacceptedalgorithms')?.[0]?.split(',');
  const refusal = (key: Identity): string | undefined => reasonAgainst(key.publicKey.type, accepted);
  return {
    usable: offered.filter((key) => refusal(key) === undefined),
    skipped: [
      ...alone.flatMap(problemOf),
      ...(offered.length === 0 ? alone.filter(isMissing).map(({ file }) => `${file}: no such file`) : []),
      ...(await certificatesBeside(files)),
      ...offered.flatMap((key) => refusal(key)?.replace(/^/, `${key.label}: `) ?? []),
    ],
    agent: agent.state,
  };
}

async function agentIdentities(
  socket: string | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<{ state: Identities['agent']; keys: Identity[] }> {
  if (socket === undefined) return { state: 'none', keys: [] };
  try {
    const keys = await listAgentKeys(socket, signal);
    return {
      state: 'answered',
      keys: keys.map(({ blob, comment }) => ({
        publicKey: parseHostKey(blob),
        label: `${fingerprint(blob)} ${sanitize(comment)} (agent)`,
        signsSilently: false,
        sign: async (data, hash) => {
          refuseSha1(hash);
          return await signByAgent(socket, blob, data, hash, signal);
        },
      })),
    };
  } catch (error) {
    log.debug(`no answer from the agent at ${socket}: ${error instanceof Error ? error.message : String(error)}`);
    return { state: 'unreachable', keys: [] };
  }
}

function fileIdentity(
  { file, publicKey, text, encrypted, problem }: KeyFile,
  hop: Hop,
  askPassphrase: PassphrasePrompt,
): Identity | undefined {
  if (publicKey === undefined || text === undefined || problem !== undefined) return undefined;
  return {
    publicKey,
    label: `${fingerprint(publicKey.blob)} ${file}`,
    signsSilently: !encrypted,
    async sign(data, hash) {
      refuseSha1(hash);
      const key = encrypted
        ? await decrypt(file, text, hop.numberOfPasswordPrompts, askPassphrase)
        : parsePrivateKey(text);
      if (key === undefined) throw new Error('it is not a private key that can be read here');
      const signature: Buffer | Error = key.sign(data, hash);
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}

async function decrypt(
  file: string,
  text: string,
  tries: number,
  askPassphrase: PassphrasePrompt,
): Promise<ReturnType<typeof parsePrivateKey>> {
  for (let index = 0; index < tries; index += 1) {
    const passphrase = await askPassphrase(file);
    if (passphrase === undefined)
      throw new Error(index === 0 ? 'it is encrypted and nobody gave the passphrase' : 'the passphrase is wrong');
    const key = parsePrivateKey(text, passphrase);
    if (key !== undefined) return key;
  }
  throw new Error('the passphrase is wrong');
}

function problemOf({ file, publicKey, text, problem }: KeyFile): string[] {
  if (problem !== undefined) return [`${file}: ${problem}`];
  return publicKey !== undefined && text === undefined
    ? [`${file}: only its public half is here, and no agent holds it`]
    : [];
}

/** Named and not there. ssh's own default places need not exist, and are not worth a word. */
function isMissing({ file, publicKey, text, problem }: KeyFile): boolean {
  return publicKey === undefined && text === undefined && problem === undefined && !isDefaultPlace(file);
}

/** One of those that ssh looks at when no IdentityFile is set. */
export function isDefaultPlace(file: string): boolean {
  return /\/\.ssh\/id_(?:rsa|dsa|xmss|(?:ecdsa|ed25519)(?:_sk)?)$/.test(file);
}

/** ssh offers `FILE-cert.pub` with `FILE`, unasked. Here the key goes alone, which a server may not take. */
async function certificatesBeside(files: readonly KeyFile[]): Promise<string[]> {
  const there = await Promise.all(
    files.map(async ({ file }) => {
      const certificate = `${file}-cert.pub`;
      return await access(certificate).then(
        () => [`${certificate}: certificates need --transport openssh`],
        () => [],
      );
    }),
  );
  return there.flat();
}

function reasonAgainst(type: string, accepted: readonly string[] | undefined): string | undefined {
  if (!usableTypes.test(type)) return `${type} needs --transport openssh`;
  const names = type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type];
  if (accepted === undefined || names.some((name) => accepted.includes(name))) return undefined;
  return `PubkeyAcceptedAlgorithms has no ${type}`;
}

/** ssh2 falls back to RSA with SHA-1 for servers that do not tell what they take; OpenSSH has not since 8.8. */
function refuseSha1(hash: string | undefined): void {
  if (hash === 'sha1') throw new Error('the server takes RSA with SHA-1 only');
}

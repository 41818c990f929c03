import { type CustomHostKeyVerifier, parseHostKey, type ResolvedDestination } from '@viassh/core';
import { type Fifo, openFifoWriter, readFifoLines } from './fifo-lines.ts';
import type { PrivateFolder } from './private-folder.ts';

/** FIFOs of the KnownHostsCommand script, by name in the private folder. */
export const verifyFifos: readonly string[] = ['verify.in', 'verify.out'];

/** `$1` %I why ssh asks, `$2` %t key type, `$3` %K key, `$4` %H name to be found. */
const script = `[ "$1" = HOSTNAME ] || exit 0
printf '%s %s %s\\n' "$2" "$3" "$4" >"$here/verify.in" || exit 1
read -r line <"$here/verify.out" && printf '%s\\n' "$line"`;

/**
 * Serves ssh's look-ups of host keys: each key presented is handed to `verifier`; only an accepted one gets a known_hosts
 * line. `onRefusal` hears why not.
 */
export async function serveHostKeyVerifier(
  folder: PrivateFolder,
  verifier: CustomHostKeyVerifier,
  hop: ResolvedDestination,
  onRefusal: (reason: string) => void,
  signal: AbortSignal,
): Promise<readonly Fifo[]> {
  await folder.writeScript('verify', script);
  const decide = async (line: string): Promise<string> => {
    const [type = '', key = '', name = ''] = line.split(' ');
    try {
      const decision = await verifier.verify(parseHostKey(Buffer.from(key, 'base64')), hop, signal);
      // Exactly true: a caller without types may answer anything.
      // oxlint-disable-next-line typescript/no-unnecessary-boolean-literal-compare
      if (decision.accepted === true) return `${name} ${type} ${key}`;
      onRefusal(decision.reason);
    } catch (error) {
      onRefusal(error instanceof Error ? error.message : String(error));
    }
    return '#';
  };
  const answers = await openFifoWriter(folder.file('verify.out'));
  const questions = await readFifoLines(
    folder.file('verify.in'),
    (line) => void decide(line).then((text) => answers.writeLine(text)),
  );
  return [questions, answers];
}

/** The options with which ssh (≥ 8.5) knows host keys by the script's answers alone. Certificates would not be the key. */
export function customVerification(scriptFile: string, hop: ResolvedDestination): string[] {
  const plainKeys = hop.hostKeyAlgorithms.filter((name) => !name.includes('-cert-'));
  return [
    `KnownHostsCommand=${scriptFile} %I %t %K %H`,
    'UserKnownHostsFile=none',
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    'CheckHostIP=no',
    'VerifyHostKeyDNS=no',
    'NoHostAuthenticationForLocalhost=no',
    ...(plainKeys.length === 0 ? [] : [`HostKeyAlgorithms=${plainKeys.join(',')}`]),
  ];
}

import type { PrivateNetwork } from './private-network.ts';

/** What a link must leave as it was. Each value is a list of lines, in an order of their own, without counters and times. */
export interface NetworkState {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  /** Of every table, of both families. */
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  /** `nft list ruleset`; none where there is no nft. */
  readonly nft: readonly string[];
  /** /etc/resolv.conf. */
  readonly resolver: readonly string[];
}

const script = `for what in 'link show' 'address show' '-4 route show table all' '-6 route show table all' '-4 rule show' '-6 rule show'; do
  ip -o $what
  echo ==
done
if command -v nft >/dev/null; then nft list ruleset; fi
echo ==
cat /etc/resolv.conf 2>/dev/null
true
`;

/** Reads it, for a comparison of before and after. Neighbours and caches are left out. */
export async function networkState({ run }: Pick<PrivateNetwork, 'run'>): Promise<NetworkState> {
  const { stdout } = await run('sh', ['-c', script]);
  const [links = [], addresses = [], routes4 = [], routes6 = [], rules4 = [], rules6 = [], nft = [], resolver = []] =
    stdout.split('==\n').map((part) => part.split('\n').filter((line) => line !== ''));
  return {
    links: tidied(links),
    addresses: tidied(addresses),
    routes: tidied([...routes4.map((line) => `-4 ${line}`), ...routes6.map((line) => `-6 ${line}`)]),
    rules: [...rules4.map((line) => `-4 ${line}`), ...rules6.map((line) => `-6 ${line}`)],
    nft,
    resolver,
  };
}

/** Index numbers go on counting, and how long an address or a route is still valid goes down. */
function tidied(lines: readonly string[]): string[] {
  return lines
    .map((line) =>
      line
        .replace(/^\d+: /, '')
        .replaceAll(/\\/g, ' ')
        .replaceAll(/\b(valid_lft|preferred_lft|expires) \d+sec/g, '$1 some')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .toSorted();
}

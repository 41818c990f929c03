/** A source or destination of rsync on another machine. */
export interface RemotePlace {
  /** `[user@]host`, an IPv6 address in brackets: what goes to the remote shell. */
  readonly destination: string;
  /** `host::module` or `rsync://`: an rsync daemon, started there by the remote shell when `-e` is given. */
  readonly daemon: boolean;
  /** As the user typed it; of a daemon the module and what follows. */
  readonly path: string;
}

/** The short options of rsync that take a value, glued or in the next word. */
const SHORT_WITH_VALUE = 'efBTM@';
/** The long ones, by their names in rsync(1) and its older names. */
const LONG_WITH_VALUE: ReadonlySet<string> = new Set(
  `address backup-dir block-size bwlimit cc checksum-choice checksum-seed chmod chown compare-dest compress-choice
  compress-level compress-threads config confine-root contimeout copy-as copy-dest debug dparam early-input exclude
  exclude-from files-from filter groupmap iconv include include-from info link-dest log-file log-file-format log-format
  max-alloc max-delete max-size min-size modify-window only-write-batch out-format outbuf partial-dir password-file port
  protocol read-batch remote-option rsh rsync-path skip-compress sockopts stderr stop-after stop-at suffix temp-dir
  time-limit timeout usermap write-batch zc zl`.split(/\s+/),
);

/** The sources and the destination among rsync's own arguments, as rsync's popt takes them: options may follow them. */
export function rsyncOperands(args: readonly string[]): string[] {
  const operands: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === '--') return [...operands, ...args.slice(at + 1)];
    if (!/^-./.test(word)) operands.push(word);
    else if (takesNextWord(word)) at += 1;
  }
  return operands;
}

/** Is the remote shell named among rsync's arguments: `-e`, also at the end of a cluster, or `--rsh`? */
export function namesRemoteShell(args: readonly string[]): boolean {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === '--') return false;
    if (/^--rsh(?:=|$)/.test(word) || /^-[^-efBTM@]*e/.test(word)) return true;
    if (takesNextWord(word)) at += 1;
  }
  return false;
}

/** What an operand says of another machine; undefined for a file of this one. */
export function remotePlace(operand: string): RemotePlace | undefined {
  const url = /^rsync:\/\/((?:[^@/]*@)?(?:\[[^\]]*\]|[^:/]*))(?::\d*)?(?:\/(.*))?$/is.exec(operand);
  if (url !== null) return { destination: url[1] ?? '', daemon: true, path: url[2] ?? '' };
  const plain = /^((?:[^@/:]*@)?(?:\[[^\]/]*\]|[^/:]+)):(:?)(.*)$/s.exec(operand);
  if (plain === null) return undefined;
  return { destination: plain[1] ?? '', daemon: plain[2] === ':', path: plain[3] ?? '' };
}

/** The first place on another machine that rsync's arguments name. */
export function firstRemotePlace(args: readonly string[]): RemotePlace | undefined {
  return rsyncOperands(args)
    .map(remotePlace)
    .find((place) => place !== undefined);
}

/**
 * One word of rsync's remote shell command (`-e`, RSYNC_RSH): rsync splits that at blanks and takes quotes, in which a
 * doubled quote is one.
 */
export function remoteShellWord(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}

function takesNextWord(word: string): boolean {
  if (!/^-./.test(word)) return false;
  if (word.startsWith('--')) return LONG_WITH_VALUE.has(word.slice(2));
  const at = [...word].findIndex((letter, index) => index > 0 && SHORT_WITH_VALUE.includes(letter));
  return at === word.length - 1;
}

const SIZES = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `0 B`, `999 B`, `1.2 kB`, `34 MB`: by thousands. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(Math.max(0, bytes))} B`;
  let value = bytes / 1000;
  let at = 0;
  while (value >= 999.5 && at < SIZES.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${SIZES[at] ?? ''}`;
}

/** `12s`, `5m`, `3h`, `2d`; what lies ahead of the clock is `0s`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `0.8 ms`, `120 ms`, `-` */
export function formatRoundTrip(ms: number | undefined): string {
  return ms === undefined ? '-' : `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A question of the login that only a person, or a program that knows the secret, can answer. */
export interface AuthenticationPrompt {
  readonly kind: 'password' | 'passphrase' | 'keyboard-interactive';
  /** One line to show. It can hold text of the server, already sanitised. */
  readonly text: string;
  /** False for a secret: nothing typed may be shown. */
  readonly echo: boolean;
}

/** Answers the questions of a login. Answers are secrets: they go into no log, argv or environment. */
export interface Authenticator {
  /** `undefined` when there is nobody to ask; that way of logging in is then passed over. */
  ask(prompt: AuthenticationPrompt, signal?: AbortSignal): Promise<string | undefined>;
}

/** Nobody to ask: keys and agents only, as with ssh's BatchMode. */
export const nobodyToAsk: Authenticator = { ask: async () => undefined };

/** A frame begins and ends with it (RFC 1662 §4.1). */
export const FLAG = 0x7e;
/** The next byte stands for itself with bit 5 turned over (RFC 1662 §4.2). */
export const ESCAPE = 0x7d;
export const ESCAPE_BIT = 0x20;
/** All stations, unnumbered information: what stands before the protocol, unless both sides left it out. */
export const ADDRESS = 0xff;
export const CONTROL = 0x03;

/** Link Control Protocol: its frames always go in the form that holds before anything is agreed (RFC 1662 §7.2). */
export const LCP_PROTOCOL = 0xc021;
export const IPV4_PROTOCOL = 0x0021;
export const IPV6_PROTOCOL = 0x0057;

/** Every control character is escaped: what holds until LCP has agreed on less. */
export const ACCM_ALL = 0xffffffff;

/** How frames are written towards one side, as its LCP options have asked. */
export interface FrameForm {
  /** Asynchronous control character map: bit n set, character n goes escaped. */
  readonly accm: number;
  /** Protocol field compression: one byte where the number fits. */
  readonly pfc: boolean;
  /** Address and control field compression: left out. */
  readonly acfc: boolean;
}

/** The form of a link that has agreed on nothing yet (RFC 1662 §7). */
export const plainForm: FrameForm = { accm: ACCM_ALL, pfc: false, acfc: false };

import { connectionError, FLOW_CONTROL_ERROR, type H2Error, PROTOCOL_ERROR } from './error.ts'
import { readUint32, SETTINGS, writeFrameHead, writeUint32 } from './frame.ts'

/** What the peer said about itself (RFC 9113 §6.5.2), at first the values that count before it says anything. */
export type Settings = {
  headerTableSize: number
  /** the smallest headerTableSize that the last SETTINGS frame went through (RFC 7541 §4.2) */
  leastHeaderTableSize: number
  enablePush: boolean
  maxConcurrentStreams: number
  initialWindowSize: number
  maxFrameSize: number
  maxHeaderListSize: number
  /** RFC 8441 §3 */
  enableConnectProtocol: boolean
  /** RFC 9218 §2.1: the peer does not use the priorities of RFC 7540 */
  noRfc7540Priorities: boolean
}

// The numbers of the settings (RFC 9113 §6.5.2), for `writeSettings`.

/** Octets that the dynamic table of the sender’s decoder may hold. */
export const HEADER_TABLE_SIZE = 0x1
/** Whether the sender takes PUSH_PROMISE. */
export const ENABLE_PUSH = 0x2
/** Streams that the peer may have open at once. */
export const MAX_CONCURRENT_STREAMS = 0x3
/** Octets of content that may be sent on a new stream. */
export const INITIAL_WINDOW_SIZE = 0x4
/** Octets of payload that the sender takes in a frame. */
export const MAX_FRAME_SIZE = 0x5
/** Octets of fields that the sender takes in a message. */
export const MAX_HEADER_LIST_SIZE = 0x6
/** Whether the sender takes extended CONNECT (RFC 8441 §3). */
export const ENABLE_CONNECT_PROTOCOL = 0x8
/** The sender does without the priorities of RFC 7540 (RFC 9218 §2.1). */
export const NO_RFC7540_PRIORITIES = 0x9

/** The largest window, and the largest increment of one (RFC 9113 §6.9.1). */
export const MAX_WINDOW = 0x7fffffff

/** The settings before the first SETTINGS frame (RFC 9113 §6.5.2). */
export function initialSettings(): Settings {
  return {
    headerTableSize: 4096,
    leastHeaderTableSize: 4096,
    enablePush: true,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: 65_535,
    maxFrameSize: 16_384,
    maxHeaderListSize: Number.POSITIVE_INFINITY,
    enableConnectProtocol: false,
    noRfc7540Priorities: false,
  }
}

/**
 * Take over the payload of a SETTINGS frame, in order; unknown settings are ignored (RFC 9113 §6.5.3).
 *
 * @param octets whole settings from `start` to `end`, as FrameReader has checked
 * @param settings changed in place
 */
export function applySettings(
  octets: Uint8Array,
  start: number,
  end: number,
  settings: Settings,
): H2Error | undefined {
  settings.leastHeaderTableSize = settings.headerTableSize
  for (let at = start; at < end; at += 6) {
    const fault = applySetting((octets[at]! << 8) | octets[at + 1]!, readUint32(octets, at + 2), settings)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Write a SETTINGS frame: 9 octets and 6 a setting. @returns the offset after it */
export function writeSettings(
  into: Uint8Array,
  at: number,
  flags: number,
  settings: readonly (readonly [setting: number, value: number])[],
): number {
  let next = writeFrameHead(into, at, 6 * settings.length, SETTINGS, flags, 0)
  for (const [setting, value] of settings) {
    into[next] = setting >>> 8
    into[next + 1] = setting
    next = writeUint32(into, next + 2, value)
  }
  return next
}

function applySetting(setting: number, value: number, settings: Settings): H2Error | undefined {
  switch (setting) {
    case HEADER_TABLE_SIZE:
      settings.headerTableSize = value
      settings.leastHeaderTableSize = Math.min(settings.leastHeaderTableSize, value)
      return undefined
    case ENABLE_PUSH:
      settings.enablePush = value === 1
      return value > 1 ? refuseValue('SETTINGS_ENABLE_PUSH', value) : undefined
    case MAX_CONCURRENT_STREAMS:
      settings.maxConcurrentStreams = value
      return undefined
    case INITIAL_WINDOW_SIZE:
      if (value > MAX_WINDOW) {
        return connectionError(FLOW_CONTROL_ERROR, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`)
      }
      settings.initialWindowSize = value
      return undefined
    case MAX_FRAME_SIZE:
      if (value < 16_384 || value > 16_777_215) return refuseValue('SETTINGS_MAX_FRAME_SIZE', value)
      settings.maxFrameSize = value
      return undefined
    case MAX_HEADER_LIST_SIZE:
      settings.maxHeaderListSize = value
      return undefined
    case ENABLE_CONNECT_PROTOCOL:
      settings.enableConnectProtocol = value === 1
      return value > 1 ? refuseValue('SETTINGS_ENABLE_CONNECT_PROTOCOL', value) : undefined
    case NO_RFC7540_PRIORITIES:
      settings.noRfc7540Priorities = value === 1
      return value > 1 ? refuseValue('SETTINGS_NO_RFC7540_PRIORITIES', value) : undefined
    default:
      return undefined
  }
}

function refuseValue(name: string, value: number): H2Error {
  return connectionError(PROTOCOL_ERROR, `${name} is ${value}`)
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, type H2Error, isH2Error, PROTOCOL_ERROR } from './error.ts'
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  writeFieldBlock,
  writeFrameHead,
  writeGoaway,
  writePing,
  writeRstStream,
  writeWindowUpdate,
} from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { applySettings, initialSettings, type Settings, writeSettings } from './settings.ts'

type Scope = H2Error['scope']

const CONNECTION: Scope = 'connection'
const STREAM: Scope = 'stream'

function hexOf(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}

/** Read all frames; the last result and what was read before it, as `type flags stream payload`. */
function readAll(
  octets: Buffer,
  reader = new FrameReader(16_384),
): [frames: string[], last: string | H2Error] {
  const frames: string[] = []
  let at = 0
  for (;;) {
    const result = reader.read(octets, at, octets.length)
    if (result !== 'frame') return [frames, result]
    const payload = octets.toString('hex', reader.start, reader.end)
    frames.push(`${reader.type} ${reader.flags} ${reader.streamId} ${payload}`)
    at += reader.frameOctets
  }
}

describe('FrameReader', () => {
  const faults: [what: string, hex: string, scope: Scope, code: number][] = [
    ['DATA on stream 0 (RFC 9113 §6.1)', '000000 00 00 00000000', CONNECTION, PROTOCOL_ERROR],
    [
      'DATA whose padding is as long as its payload (RFC 9113 §6.1)',
      '000002 00 08 00000001 0200',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    ['padded DATA without Pad Length (RFC 9113 §6.1)', '000000 00 08 00000001', CONNECTION, FRAME_SIZE_ERROR],
    ['HEADERS on stream 0 (RFC 9113 §6.2)', '000000 01 04 00000000', CONNECTION, PROTOCOL_ERROR],
    [
      'HEADERS with padding longer than its payload (RFC 9113 §6.2)',
      '000001 01 0c 00000001 01',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'HEADERS without room for its priority (RFC 9113 §6.2)',
      '000004 01 24 00000001 00000000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'HEADERS of a stream that depends on itself (RFC 7540 §5.3.1)',
      '000005 01 24 00000001 0000000110',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    ['PRIORITY on stream 0 (RFC 9113 §6.3)', '000005 02 00 00000000 0000000010', CONNECTION, PROTOCOL_ERROR],
    ['PRIORITY of 4 octets (RFC 9113 §6.3)', '000004 02 00 00000001 00000000', STREAM, FRAME_SIZE_ERROR],
    [
      'PRIORITY of a stream that depends on itself (RFC 7540 §5.3.1)',
      '000005 02 00 00000003 8000000310',
      STREAM,
      PROTOCOL_ERROR,
    ],
    ['RST_STREAM on stream 0 (RFC 9113 §6.4)', '000004 03 00 00000000 00000008', CONNECTION, PROTOCOL_ERROR],
    [
      'RST_STREAM of 5 octets (RFC 9113 §6.4)',
      '000005 03 00 00000001 0000000800',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    ['SETTINGS on a stream (RFC 9113 §6.5)', '000000 04 00 00000001', CONNECTION, PROTOCOL_ERROR],
    [
      'SETTINGS with ACK and a payload (RFC 9113 §6.5)',
      '000006 04 01 00000000 000100001000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'SETTINGS of 7 octets (RFC 9113 §6.5)',
      '000007 04 00 00000000 00010000100000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'PUSH_PROMISE of a client (RFC 9113 §8.4)',
      '000004 05 04 00000001 00000002',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'PING on a stream (RFC 9113 §6.7)',
      '000008 06 00 00000001 0000000000000000',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'PING of 7 octets (RFC 9113 §6.7)',
      '000007 06 00 00000000 00000000000000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'GOAWAY on a stream (RFC 9113 §6.8)',
      '000008 07 00 00000001 0000000000000000',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'GOAWAY of 7 octets (RFC 9113 §6.8)',
      '000007 07 00 00000000 00000000000000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'WINDOW_UPDATE by 0 on a stream (RFC 9113 §6.9)',
      '000004 08 00 00000001 80000000',
      STREAM,
      PROTOCOL_ERROR,
    ],
    [
      'WINDOW_UPDATE by 0 of the connection (RFC 9113 §6.9)',
      '000004 08 00 00000000 00000000',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'WINDOW_UPDATE of 3 octets (RFC 9113 §6.9)',
      '000003 08 00 00000001 000001',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    ['CONTINUATION without HEADERS (RFC 9113 §6.10)', '000000 09 04 00000001', CONNECTION, PROTOCOL_ERROR],
    [
      'CONTINUATION after the end of a block (RFC 9113 §6.10)',
      '000000 01 04 00000001 000000 09 04 00000001',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'CONTINUATION of another stream (RFC 9113 §6.10)',
      '000000 01 00 00000001 000000 09 04 00000003',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'DATA inside a field block (RFC 9113 §6.2)',
      '000000 01 00 00000001 000000 00 00 00000001',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'an unknown frame inside a field block (RFC 9113 §5.5)',
      '000000 01 00 00000001 000000 fe 00 00000001',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'HEADERS inside the block that CONTINUATION left open (RFC 9113 §4.3)',
      '000000 01 00 00000001 000000 09 00 00000001 000000 01 04 00000003',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'PRIORITY_UPDATE on a stream (RFC 9218 §7.1)',
      '000004 10 00 00000001 00000001',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'PRIORITY_UPDATE about stream 0 (RFC 9218 §7.1)',
      '000004 10 00 00000000 80000000',
      CONNECTION,
      PROTOCOL_ERROR,
    ],
    [
      'PRIORITY_UPDATE of 3 octets (RFC 9218 §7.1)',
      '000003 10 00 00000000 000000',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    [
      'a frame beyond our SETTINGS_MAX_FRAME_SIZE (RFC 9113 §4.2)',
      '004001 00 00 00000001',
      CONNECTION,
      FRAME_SIZE_ERROR,
    ],
    ['an unknown frame beyond it (RFC 9113 §4.2)', 'ffffff fe 00 00000001', CONNECTION, FRAME_SIZE_ERROR],
  ]
  for (const [what, hex, scope, code] of faults) {
    test(`answers ${what} with a ${scope} error ${code}`, () => {
      const [, last] = readAll(hexOf(hex))
      assert.ok(isH2Error(last), String(last))
      assert.deepEqual([last.scope, last.code], [scope, code], last.reason)
    })
  }

  const accepted: [what: string, hex: string, frames: string[]][] = [
    ['the reserved bit as if it were 0 (RFC 9113 §4.1)', '000001 00 01 80000001 61', ['0 1 1 61']],
    [
      'unknown types on any stream (RFC 9113 §5.5)',
      '000001 fe ff 00000000 61 000000 fe 00 00000007',
      ['254 255 0 61', '254 0 7 '],
    ],
    ['undefined flags (RFC 9113 §4.1)', '000000 04 fe 00000000', ['4 254 0 ']],
    ['padding of any octets (RFC 9113 §6.1)', '000004 00 08 00000001 02 61 ffff', ['0 8 1 61']],
    ['padding that is all but the Pad Length (RFC 9113 §6.1)', '000003 00 08 00000001 02 0000', ['0 8 1 ']],
    ['a Pad Length of 0 (RFC 9113 §6.1)', '000002 00 08 00000001 00 61', ['0 8 1 61']],
    [
      'priority and padding around a field block (RFC 9113 §6.2)',
      '000009 01 2d 00000003 02 80000001 ff 82 0000',
      ['1 45 3 82'],
    ],
    [
      'a block of HEADERS and CONTINUATION (RFC 9113 §6.10)',
      '000001 01 01 00000001 82 000001 09 00 00000001 84 000000 09 04 00000001',
      ['1 1 1 82', '9 0 1 84', '9 4 1 '],
    ],
    ['PRIORITY (RFC 9113 §5.3.2)', '000005 02 00 00000005 00000003 00', ['2 0 5 ']],
    ['PRIORITY_UPDATE (RFC 9218 §7.1)', '000007 10 00 00000000 00000003 753d31', ['16 0 0 753d31']],
    ['an unknown error code (RFC 9113 §7)', '000004 03 00 00000001 ffffffff', ['3 0 1 ffffffff']],
  ]
  for (const [what, hex, frames] of accepted) {
    test(`takes ${what}`, () => {
      assert.deepEqual(readAll(hexOf(hex)), [frames, 'incomplete'])
    })
  }

  test('tells a fault of the connection before the payload is there, one of a stream after it (RFC 9113 §5.4, §5.4.1, §5.4.2)', () => {
    assert.ok(isH2Error(readAll(hexOf('000009 06 00 00000000'))[1]))
    assert.equal(readAll(hexOf('000004 02 00 00000001'))[1], 'incomplete')
  })

  test('waits for the whole frame, however it is cut', () => {
    const octets = hexOf('000004 00 08 00000001 02 61 ffff')
    for (let end = 0; end < octets.length; end++) {
      assert.equal(new FrameReader(16_384).read(octets, 0, end), 'incomplete')
    }
  })

  test('says how much a frame takes of the windows: its padding as well (RFC 9113 §6.9.1)', () => {
    const reader = new FrameReader(16_384)
    assert.equal(reader.read(hexOf('000004 00 08 00000001 02 61 ffff'), 0, 13), 'frame')
    assert.deepEqual([reader.payloadOctets, reader.frameOctets, reader.end - reader.start], [4, 13, 1])
  })

  test('never throws, and always goes on, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(20), (noise, type) => {
        const head = Buffer.from([0, 0, noise.length & 15, type, noise[0] ?? 0, 0, 0, 0, noise[1] ?? 0])
        const [frames] = readAll(Buffer.concat([head, noise]))
        assert.ok(frames.length <= 45)
      }),
      { numRuns: 1000 },
    )
  })
})

test('what is written is read as it was meant', () => {
  const into = Buffer.alloc(200)
  let at = writePing(into, 0, hexOf('0102030405060708'), ACK)
  at = writeRstStream(into, at, 5, 0xffffffff)
  at = writeWindowUpdate(into, at, 0, 0x7fffffff)
  at = writeGoaway(into, at, 7, 0xb, 'calm')
  at = writeFrameHead(into, at, 1, DATA, END_STREAM, 0x7fffffff)
  into[at++] = 0x61
  const [frames, last] = readAll(into.subarray(0, at))
  assert.equal(last, 'incomplete')
  assert.deepEqual(frames, [
    '6 1 0 0102030405060708',
    '3 0 5 ffffffff',
    '8 0 0 7fffffff',
    '7 0 0 63616c6d',
    '0 1 2147483647 61',
  ])
  const reader = new FrameReader(16_384)
  assert.equal(reader.read(into, 17 + 13, at), 'frame')
  assert.equal(reader.number, 0x7fffffff)
  assert.equal(reader.read(into, 17 + 13 + 13, at), 'frame')
  assert.deepEqual([reader.otherId, reader.number], [7, 0xb])
})

test('a field block is cut where the peer’s frames end (RFC 9113 §4.3, §6.10)', () => {
  const cases: [length: number, frames: string[]][] = [
    [0, [`${HEADERS} 5 1 `]],
    [4, [`${HEADERS} 5 1 61616161`]],
    [5, [`${HEADERS} 1 1 61616161`, '9 4 1 61']],
    [8, [`${HEADERS} 1 1 61616161`, '9 4 1 61616161']],
    [9, [`${HEADERS} 1 1 61616161`, '9 0 1 61616161', '9 4 1 61']],
  ]
  assert.equal(END_STREAM | END_HEADERS, 5)
  for (const [length, frames] of cases) {
    const into = Buffer.alloc(100)
    const field = { block: Buffer.alloc(20, 'a'), length }
    const end = writeFieldBlock(into, 3, field, 1, END_STREAM, 4)
    assert.deepEqual(readAll(into.subarray(3, end))[0], frames)
  }
})

describe('applySettings()', () => {
  const faults: [what: string, hex: string, code: number][] = [
    ['SETTINGS_ENABLE_PUSH of 2 (RFC 9113 §6.5.2)', '0002 00000002', PROTOCOL_ERROR],
    ['SETTINGS_INITIAL_WINDOW_SIZE of 2^31 (RFC 9113 §6.5.2)', '0004 80000000', FLOW_CONTROL_ERROR],
    ['SETTINGS_MAX_FRAME_SIZE of 16383 (RFC 9113 §6.5.2)', '0005 00003fff', PROTOCOL_ERROR],
    ['SETTINGS_MAX_FRAME_SIZE of 2^24 (RFC 9113 §6.5.2)', '0005 01000000', PROTOCOL_ERROR],
    ['SETTINGS_ENABLE_CONNECT_PROTOCOL of 2 (RFC 8441 §3)', '0008 00000002', PROTOCOL_ERROR],
    ['SETTINGS_NO_RFC7540_PRIORITIES of 2 (RFC 9218 §2.1)', '0009 00000002', PROTOCOL_ERROR],
    ['a wrong value behind right ones', '0003 00000001 0002 ffffffff', PROTOCOL_ERROR],
  ]
  for (const [what, hex, code] of faults) {
    test(`refuses ${what}`, () => {
      const octets = hexOf(hex)
      const fault = applySettings(octets, 0, octets.length, initialSettings())
      assert.deepEqual([fault?.scope, fault?.code], ['connection', code])
    })
  }

  test('keeps the smallest table size of a frame beside the last (RFC 7541 §4.2)', () => {
    const octets = hexOf('0001 00000800 0001 00000000 0001 00001000')
    const settings = initialSettings()
    applySettings(octets, 0, octets.length, settings)
    assert.deepEqual([settings.leastHeaderTableSize, settings.headerTableSize], [0, 4096])
    applySettings(octets, 0, 6, settings)
    assert.deepEqual([settings.leastHeaderTableSize, settings.headerTableSize], [2048, 2048])
  })

  test('takes settings over in their order and ignores unknown ones (RFC 9113 §6.5.3)', () => {
    const into = Buffer.alloc(100)
    const end = writeSettings(into, 0, 0, [
      [1, 0xffffffff],
      [2, 0],
      [3, 7],
      [4, 1],
      [4, 0x7fffffff],
      [5, 16_777_215],
      [6, 100],
      [8, 1],
      [9, 1],
      [0xff, 5],
    ])
    const reader = new FrameReader(16_384)
    assert.equal(reader.read(into, 0, end), 'frame')
    const settings = initialSettings()
    assert.equal(applySettings(into, reader.start, reader.end, settings), undefined)
    assert.deepEqual(settings, {
      headerTableSize: 0xffffffff,
      enablePush: false,
      maxConcurrentStreams: 7,
      initialWindowSize: 0x7fffffff,
      maxFrameSize: 16_777_215,
      maxHeaderListSize: 100,
      enableConnectProtocol: true,
      noRfc7540Priorities: true,
      leastHeaderTableSize: 4096,
    } satisfies Settings)
  })
})

import type { DynamicLibraryResult, FunctionDefinitions } from 'node:ffi'

/** Functions of the C library, and where in memory a buffer begins. */
export type CLibrary<Symbols extends FunctionDefinitions> = DynamicLibraryResult<Symbols>['functions'] & {
  addressOf(memory: Buffer): bigint
}

/**
 * Load functions of the C library, with numbers and structures as 64-bit Linux has them.
 *
 * @returns undefined on other systems, and in a Node without `node:ffi` or one that is not allowed to use it
 */
export function loadCLibrary<const Symbols extends FunctionDefinitions>(
  symbols: Symbols,
): CLibrary<Symbols> | undefined {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined
  // Without it we go on with what Node has, so the warning that it may change tells nobody what to do.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const ffi = process.getBuiltinModule('node:ffi')
    return { ...ffi.dlopen(null, symbols).functions, addressOf: ffi.getRawPointer }
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

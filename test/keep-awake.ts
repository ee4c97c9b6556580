import type { TestContext } from 'node:test'

/** Keep the process while a test waits for what does not: timers of a store, other threads. */
export function keepAwake(t: TestContext): void {
  const timer = setInterval(() => {}, 1000)
  t.after(() => clearInterval(timer))
}

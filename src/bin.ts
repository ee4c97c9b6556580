// The command of the installed package. Nothing else is loaded before the version is known: what an older Node lacks
// would end it with a trace that says nothing to who installed it.

const WANTED = 24 // package.json, engines

if (Number.parseInt(process.versions.node, 10) >= WANTED) await import('#main.ts')
else {
  process.stderr.write(
    `portico: This is Node ${process.versions.node} (${process.execPath}); Node ${WANTED} or newer is wanted. https://nodejs.org has it, and so have nvm and the packages of most systems.\n`,
  )
  process.exitCode = 1
}

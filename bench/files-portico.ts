/** Portico's data path with the files of a folder under one name: `files-portico.ts PORT FOLDER`. */
import { silent } from '#core/log.ts'
import { planFiles } from '#files/plan.ts'
import { createFiles } from '#files/serve.ts'
import { createRouter } from '#http/router.ts'
import { planOf, routeOf } from '../test/routes.ts'
import { observed, serveBench } from './portico.ts'

const [port, root = '.'] = process.argv.slice(2)
const action = planFiles({ root })
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const http = planOf([{ ...host, routes: [route] }])
const { handle } = createRouter(http, () => createFiles(action, { log: silent }))
await serveBench(await observed(handle, http, '{}'), Number(port), [])

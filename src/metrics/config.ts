import type { GroupSetting } from '#core/settings.ts'

export type MetricsConfig = { readonly listen?: string; readonly routes: number }

/** `metrics`: the admin listener has them at `/metrics` too, for who has its token. */
export const metricsSettings: GroupSetting = {
  type: 'group',
  doc: 'Metrics for Prometheus (text format 0.0.4 and OpenMetrics 1.0).',
  fields: {
    listen: {
      type: 'text',
      doc: 'Where `GET /metrics` is answered without a token. A port alone is one on loopback.',
      form: {
        pattern: '^((\\[[0-9a-fA-F:.]+\\]|[0-9.]+|localhost)?:(\\d{1,5}))$',
        say: '":9100" (loopback), "10.0.0.5:9100" or "[::1]:9100"',
      },
      example: ':9100',
    },
    routes: {
      type: 'integer',
      doc: 'Routes and origins with series of their own; further ones are counted together as "other".',
      unit: 'routes',
      initial: 500,
      min: 1,
      max: 100_000,
      source: 'a route has some 40 series: 20 000 in a scrape, 2 MB',
    },
  },
}

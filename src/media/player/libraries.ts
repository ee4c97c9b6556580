/** Players of others that the page loads: where npm puts script and licence, below node_modules. */
export const carriedLibraries = {
  hls: { script: 'hls.js/dist/hls.min.js', licence: 'hls.js/LICENSE' },
  dash: { script: 'dashjs/dist/modern/umd/dash.mediaplayer.min.js', licence: 'dashjs/LICENSE.md' },
} as const

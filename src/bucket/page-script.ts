/**
 * The script of the page for uploads: each file is a resumable upload (tus 1.0.0), sent in pieces, so that a pause, a
 * reload of the network or a new address of the phone costs a piece at most.
 */
export const SCRIPT: string = `
'use strict'
const PIECE = 8 * 1024 * 1024
const RETRY_MS = 2000
const drop = document.getElementById('drop')
const list = document.getElementById('list')
const input = document.getElementById('files')
input.addEventListener('change', () => { for (const file of input.files) add(file); input.value = '' })
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault()
    drop.classList.toggle('over', type === 'dragenter' || type === 'dragover')
    if (type === 'drop') for (const file of event.dataTransfer.files) add(file)
  })
}

function add(file) {
  const item = list.appendChild(document.createElement('li'))
  const name = item.appendChild(document.createElement('span'))
  const button = item.appendChild(document.createElement('button'))
  const bar = item.appendChild(document.createElement('progress'))
  const says = item.appendChild(document.createElement('output'))
  name.textContent = file.name
  button.type = 'button'
  bar.max = file.size || 1
  bar.setAttribute('aria-label', 'Progress of ' + file.name)
  const upload = { file, url: null, offset: 0, sent: 0, request: null, isPaused: false, isDone: false }
  const show = (text) => {
    bar.value = upload.sent
    says.textContent = text
    button.textContent = upload.isPaused ? 'Resume' : 'Pause'
    button.setAttribute('aria-label', button.textContent + ' ' + file.name)
  }
  button.addEventListener('click', () => {
    upload.isPaused = !upload.isPaused
    if (upload.isPaused) { if (upload.request) upload.request.abort(); show('Paused at ' + size(upload.sent)) }
    else run()
  })
  function finish(path) {
    upload.isDone = true
    const hadFocus = document.activeElement === button
    button.remove()
    bar.remove()
    says.textContent = size(file.size)
    const link = document.createElement('a')
    link.href = path
    link.textContent = file.name
    name.replaceChildren(link)
    if (hadFocus) link.focus()
  }
  async function run() {
    try {
      if (upload.url === null) {
        const created = await send(upload, 'POST', location.pathname, { 'Upload-Length': file.size, 'Upload-Metadata': metadata(file) })
        if (created.status !== 201) return fail(created)
        upload.url = new URL(created.getResponseHeader('Location'), location.href).href
        const path = created.getResponseHeader('Content-Location')
        if (path) return finish(path)
      } else {
        const head = await send(upload, 'HEAD', upload.url, {})
        if (head.status !== 200) return fail(head)
        upload.offset = Number(head.getResponseHeader('Upload-Offset'))
        const path = head.getResponseHeader('Content-Location')
        if (path) return finish(path)
      }
      while (!upload.isPaused) {
        const begin = upload.sent = upload.offset
        show(size(begin) + ' of ' + size(file.size))
        const reply = await send(upload, 'PATCH', upload.url, { 'Upload-Offset': begin, 'Content-Type': 'application/offset+octet-stream' },
          file.slice(begin, begin + PIECE), (octets) => { upload.sent = begin + octets; show(size(upload.sent) + ' of ' + size(file.size)) })
        if (reply.status !== 204) return fail(reply)
        upload.offset = Number(reply.getResponseHeader('Upload-Offset'))
        const path = reply.getResponseHeader('Content-Location')
        if (path) return finish(path)
      }
    } catch {
      if (upload.isPaused) return
      show('Waiting for the network at ' + size(upload.sent))
      setTimeout(() => { if (!upload.isPaused && !upload.isDone) run() }, RETRY_MS)
    }
  }
  function fail(reply) {
    if (reply.status === 409 || reply.status === 423) return void setTimeout(run, RETRY_MS)
    upload.isPaused = true
    upload.url = reply.status === 404 || reply.status === 410 ? null : upload.url
    if (upload.url === null) upload.offset = upload.sent = 0
    show(reply.responseText.split('\\n')[1] || 'The upload was answered with ' + reply.status)
  }
  show('')
  run()
}

function send(upload, method, url, headers, body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = upload.request = new XMLHttpRequest()
    request.open(method, url)
    request.setRequestHeader('Tus-Resumable', '1.0.0')
    for (const name in headers) request.setRequestHeader(name, headers[name])
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded)
    request.onload = () => resolve(request)
    request.onerror = request.onabort = request.ontimeout = () => reject(new Error('not sent'))
    request.send(body)
  })
}

function metadata(file) {
  const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  return 'filename ' + encode(file.name) + (file.type ? ',filetype ' + encode(file.type) : '')
}

function size(octets) {
  const power = Math.min(4, Math.floor(Math.log2(octets || 1) / 10))
  return (octets / 1024 ** power).toFixed(power === 0 ? 0 : 1) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]
}
`

/** Configurations as people have them. `nginx -t` accepts each in conformance/nginx-import.test.ts. */
export type NginxSample = {
  readonly name: string
  /** what stands in `http { }` */
  readonly text: string
  /** the domains of the Portico file */
  readonly domains: unknown
  /** `line directive level`, without what was dropped */
  readonly notes: readonly string[]
}

const PHP_SITE = `server {
    listen 80;
    server_name blog.example.org;
    root /var/www/wordpress;
    index index.php index.html;
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
        include fastcgi_params;
        fastcgi_pass unix:/run/php/php-fpm.sock;
    }
    location ~* \\.(js|css|png)$ { expires max; log_not_found off; }
    location = /favicon.ico { log_not_found off; access_log off; }
    location ~ /\\.ht { deny all; }
}`

export const nginxSamples: readonly NginxSample[] = [
  {
    name: 'a site that certbot manages',
    text: `server {
    server_name example.com www.example.com; # managed by Certbot
    location / { proxy_pass http://127.0.0.1:3000; }
    listen [::]:443 ssl ipv6only=on; # managed by Certbot
    listen 443 ssl; # managed by Certbot
}
server {
    if ($host = www.example.com) {
        return 301 https://$host$request_uri;
    } # managed by Certbot
    if ($host = example.com) {
        return 301 https://$host$request_uri;
    } # managed by Certbot
    listen 80;
    listen [::]:80;
    server_name example.com www.example.com;
    return 404; # managed by Certbot
}`,
    domains: { 'example.com': { hosts: { '@': { service: 3000 }, www: { service: 3000 } } } },
    notes: [],
  },
  {
    name: 'WordPress with PHP-FPM, whose source must not be shown',
    text: PHP_SITE,
    domains: {
      'example.org': {
        hosts: { blog: { routes: { '/favicon.ico': { files: '/var/www/wordpress' } } } },
      },
    },
    notes: [
      '1 server assumed',
      '1 server assumed',
      '4 root not understood',
      '5 index assumed',
      '6 try_files not understood',
      '7 location not understood',
      '13 location not understood',
    ],
  },
  {
    name: 'a reverse proxy with WebSockets',
    text: `map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 443 ssl;
    server_name app.example.com;
    location / {
        proxy_pass http://localhost:4000/;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_read_timeout 86400;
    }
    location /socket.io/ { proxy_pass http://localhost:4001; proxy_buffering off; }
}`,
    domains: {
      'example.com': {
        hosts: { app: { routes: { '/**': { service: 4000 }, '/socket.io/**': { service: 4001 } } } },
      },
    },
    notes: ['2 server assumed'],
  },
  {
    name: 'upstreams as Docker has them',
    text: `upstream web { least_conn; server 10.0.0.5:3000 weight=3; server 10.0.0.6:3000 max_fails=3; server 10.0.0.7:3000 backup; }
upstream unused { server 10.0.0.8:80; }
server {
    listen 443 ssl;
    server_name example.com;
    location / { proxy_pass http://web; }
    location /api/ {
        resolver 127.0.0.11;
        set $api http://10.0.0.9:8080;
        proxy_pass $api;
    }
}`,
    domains: {
      'example.com': {
        hosts: {
          '@': {
            routes: {
              '/**': {
                service: {
                  url: [{ url: 'http://10.0.0.5:3000', weight: 3 }, 'http://10.0.0.6:3000'],
                  policy: 'least-connections',
                  fallback: 'http://10.0.0.7:3000',
                },
              },
              '/api/**': { service: 'http://10.0.0.9:8080' },
            },
          },
        },
      },
    },
    notes: [],
  },
  {
    name: 'gRPC, paths that are replaced, policies, and what is changed on the way',
    text: `upstream calls { hash $cookie_user consistent; server 10.0.0.5:50051; server 10.0.0.6:50051; }
upstream sticky { ip_hash; server 10.0.0.5:80; server 10.0.0.6:80; }
gzip on;
server {
    listen 443 ssl;
    server_name example.com;
    root /srv/www;
    add_header X-Frame-Options DENY always;
    add_header X-Id $request_id;
    error_page 404 /404.html;
    location /grpc.Service/ { grpc_pass grpc://calls; }
    location /api/ { proxy_pass http://sticky/; gzip off; proxy_hide_header X-Powered-By; }
    location /old/ { proxy_pass http://10.0.0.9:8080/new/; }
    location = /status { proxy_pass http://10.0.0.9:8080/healthz; }
    location /docs/ { alias /srv/manual/; }
}`,
    domains: {
      'example.com': {
        hosts: {
          '@': {
            routes: {
              '/grpc.Service/**': {
                service: {
                  url: ['h2c://10.0.0.5:50051', 'h2c://10.0.0.6:50051'],
                  policy: { hash: 'cookie:user' },
                },
              },
              '/api/**': {
                service: { url: ['http://10.0.0.5:80', 'http://10.0.0.6:80'], policy: { hash: 'client' } },
                strip: '/api',
                compress: false,
                headers: { response: { remove: ['X-Powered-By'] } },
              },
              '/old/**': { service: 'http://10.0.0.9:8080', rewrite: '/new/**' },
              '/status': { service: 'http://10.0.0.9:8080', rewrite: '/healthz' },
              '/docs/**': { files: '/srv/manual', strip: '/docs' },
              '/**': { files: '/srv/www' },
            },
            compress: true,
            headers: { response: { set: { 'X-Frame-Options': 'DENY' } } },
            errors: { '404': '/srv/www/404.html' },
          },
        },
      },
    },
    notes: ['9 add_header not understood'],
  },
  {
    name: 'a default server that answers, and www sent to the apex',
    text: `server { listen 443 ssl default_server; server_name _; root /srv/parked; }
server { listen 443 ssl; server_name www.example.com; return 301 https://example.com$request_uri; }
server { listen 443 ssl; server_name example.com; root /srv/site/; index index.html index.htm; }`,
    domains: {
      'example.com': {
        hosts: {
          '@': { files: '/srv/site' },
          www: { redirect: 'https://example.com' },
          '*': { files: '/srv/parked' },
        },
      },
    },
    notes: ['1 server assumed', '2 return assumed'],
  },
  {
    name: 'a default server that refuses',
    text: `server { listen 80 default_server; server_name _; return 444; }
server { listen 443 ssl; server_name *.example.com; location / { proxy_pass http://127.0.0.1:8000; } }`,
    domains: { 'example.com': { hosts: { '*': { service: 8000 } } } },
    notes: ['2 server assumed'],
  },
  {
    name: 'a single page application with its API',
    text: `server {
    listen 443 ssl http2;
    server_name .example.co.uk;
    root /srv/app/dist;
    location / { try_files $uri $uri/ /index.html; }
    location /api { proxy_pass http://127.0.0.1:8080/; }
    location ^~ /static/ { alias /srv/assets/static/; expires 1y; }
    location = /health { default_type application/json; return 200 '{"ok":true}'; }
}`,
    domains: {
      'example.co.uk': {
        hosts: Object.fromEntries(
          ['@', '*'].map((key) => [
            key,
            {
              routes: {
                '/**': { files: { root: '/srv/app/dist', fallback: '/index.html' } },
                '/api/**': { service: 8080 },
                '/static/**': { files: '/srv/assets' },
                '/health': {
                  respond: {
                    status: 200,
                    body: '{"ok":true}',
                    headers: { 'Content-Type': 'application/json' },
                  },
                },
              },
            },
          ]),
        ),
      },
    },
    notes: [
      '1 server assumed',
      '5 try_files assumed',
      '6 location assumed',
      '6 proxy_pass not understood',
      '7 expires not understood',
    ],
  },
  {
    name: 'guarded places stay shut',
    text: `server {
    listen 443 ssl;
    server_name intra.example.net;
    location / { proxy_pass http://127.0.0.1:9000; }
    location /admin/ { auth_basic "Staff"; auth_basic_user_file /etc/nginx/htpasswd; proxy_pass http://127.0.0.1:9000; }
    location /metrics { allow 10.0.0.0/8; deny all; proxy_pass http://127.0.0.1:9100; }
    location = /secret { deny all; }
}
server { listen 127.0.0.1:8080; server_name status.example.net; location / { proxy_pass http://127.0.0.1:9200; } }`,
    domains: {
      'example.net': {
        hosts: {
          intra: {
            routes: {
              '/**': { service: 9000 },
              '/admin/**': { respond: { status: 403 } },
              '/metrics/**': { service: 9100, access: { allow: ['10.0.0.0/8'] } },
              '/secret': { respond: { status: 403 } },
            },
          },
        },
      },
    },
    notes: [
      '1 server assumed',
      '5 auth_basic not understood',
      '5 auth_basic_user_file not understood',
      '6 location assumed',
      '9 server not understood',
    ],
  },
  {
    name: 'redirects of many kinds',
    text: `server {
    listen 443 ssl;
    server_name old.example.com;
    rewrite ^/(.*)$ https://new.example.com/$1 permanent;
}
server {
    listen 443 ssl;
    server_name new.example.com;
    rewrite ^/about\\.html$ /about permanent;
    rewrite ^/blog/(\\d+)$ /posts/$1 last;
    location /gone/ { return 410; }
    location = /docs { return 302 https://docs.example.com/start; }
    location / { proxy_pass http://127.0.0.1:5000; }
}`,
    domains: {
      'example.com': {
        hosts: {
          old: { redirect: 'https://new.example.com' },
          new: {
            routes: {
              '/about.html': { redirect: { to: '/about', keepPath: false } },
              '/gone/**': { respond: { status: 410 } },
              '/docs': { redirect: { to: 'https://docs.example.com/start', status: 302, keepPath: false } },
              '/**': { service: 5000 },
            },
          },
        },
      },
    },
    notes: ['4 rewrite assumed', '10 rewrite not understood'],
  },
  {
    name: 'plain HTTP and HTTPS in one server, on an address of its own',
    text: `client_max_body_size 50m;
server {
    listen 203.0.113.7:80; listen 203.0.113.7:443 ssl;
    server_name example.com;
    client_max_body_size 1g;
    add_header X-Frame-Options DENY;
    location / { proxy_pass https://10.1.2.3:8443; proxy_set_header X-Custom yes; }
}`,
    domains: {
      'example.com': {
        hosts: {
          '@': {
            service: { url: 'https://10.1.2.3:8443', verify: false },
            headers: { response: { set: { 'X-Frame-Options': 'DENY' } } },
            http: 'serve',
          },
        },
      },
    },
    notes: [
      '1 client_max_body_size assumed',
      '3 listen assumed',
      '5 client_max_body_size assumed',
      '7 proxy_set_header not understood',
    ],
  },
  {
    name: 'files first, then a service (Ruby, Python)',
    text: `server {
    listen 80;
    server_name shop.example.com;
    root /srv/shop/public;
    location / { try_files $uri @app; }
    location @app { proxy_pass http://127.0.0.1:3000; proxy_redirect off; }
    error_page 500 502 /500.html;
    location = /500.html { internal; }
    location /media/ { location /media/raw/ { return 403; } }
}`,
    domains: {
      'example.com': {
        hosts: {
          shop: {
            routes: {
              '/**': { service: 3000 },
              '/500.html': { respond: { status: 404 } },
              '/media/**': { files: '/srv/shop/public' },
              '/media/raw/**': { respond: { status: 403 } },
            },
            errors: { '500': '/srv/shop/public/500.html', '502': '/srv/shop/public/500.html' },
          },
        },
      },
    },
    notes: ['1 server assumed', '1 server assumed', '5 try_files not understood'],
  },
  {
    name: 'names that are no names of a domain',
    text: `server { listen 80; server_name ~^(?<user>.+)\\.example\\.com$ example.*; return 200 "hi"; }
server { listen 80; server_name localhost; root /srv; }
server { listen 8080; server_name tools.example.com; location / { proxy_pass http://unix:/run/tools.sock; } }`,
    domains: { 'example.com': { hosts: { tools: { service: 'unix:/run/tools.sock' } } } },
    notes: [
      '1 server not understood',
      '1 server_name not understood',
      '1 server_name not understood',
      '2 server not understood',
      '2 server_name not understood',
      '3 listen assumed',
      '3 server assumed',
      '3 server assumed',
    ],
  },
  {
    name: 'conditions and maps',
    text: `map $http_user_agent $mobile { default 0; "~Opera Mini" 1; }
limit_req_zone $binary_remote_addr zone=one:1m rate=1r/s;
server {
    listen 80;
    server_name example.com m.example.com;
    if ($host != "example.com") { return 302 http://example.com$request_uri; }
    if ($mobile) { return 302 /m; }
    location / { limit_req zone=one; proxy_pass http://127.0.0.1:81; }
}`,
    domains: {
      'example.com': {
        hosts: {
          '@': { service: 81, limits: { requests: '1/s', burst: 1 } },
          m: { redirect: { to: 'http://example.com', status: 302 } },
        },
      },
    },
    notes: ['1 map not understood', '3 server assumed', '7 if not understood', '8 limit_req assumed'],
  },
  {
    name: 'who may come, how often and how fast, what is kept, and listings',
    text: `limit_req_zone $binary_remote_addr zone=api:10m rate=30r/m;
limit_req_zone $http_x_key zone=key:10m rate=5r/s;
limit_conn_zone $binary_remote_addr zone=addr:10m;
server {
    listen 443 ssl;
    server_name shop.example.org;
    deny 203.0.113.0/24;
    location / { proxy_pass http://127.0.0.1:81; proxy_cache c; proxy_cache_valid 200 302 1h30m; proxy_cache_valid any 1m; }
    location /me/ { proxy_pass http://127.0.0.1:81; proxy_cache c; proxy_cache_bypass $cookie_session; }
    location /in/ { allow 10.0.0.7; deny 10.0.0.0/8; allow all; proxy_pass http://127.0.0.1:82; }
    location /odd/ { deny 10.0.0.0/8; allow 10.0.0.7; proxy_pass http://127.0.0.1:82; }
    location /api/ { allow all; limit_req zone=api burst=9 nodelay; limit_conn addr 4; proxy_pass http://127.0.0.1:83; }
    location /key/ { allow all; limit_req zone=key; proxy_pass http://127.0.0.1:83; }
    location /dl/ { allow all; root /srv; autoindex on; limit_rate 500k; limit_rate_after 5m; }
}`,
    domains: {
      'example.org': {
        hosts: {
          shop: {
            routes: {
              '/**': {
                service: 81,
                cache: { ttl: { 200: '1.5h', 302: '1.5h', any: '1m' } },
                access: { deny: ['203.0.113.0/24'] },
              },
              '/me/**': { service: 81, access: { deny: ['203.0.113.0/24'] } },
              '/in/**': {
                service: 82,
                access: { allow: ['10.0.0.7', '0.0.0.0/0', '::/0'], deny: ['10.0.0.0/8'] },
              },
              '/odd/**': { respond: { status: 403 } },
              '/api/**': { service: 83, limits: { requests: '30/m', burst: 10 } },
              '/key/**': { service: 83 },
              '/dl/**': {
                files: { root: '/srv', listing: true },
                limits: { rate: '500KiB/s', rateAfter: '5MiB' },
              },
            },
          },
        },
      },
    },
    notes: [
      '2 limit_req_zone not understood',
      '3 limit_conn_zone not understood',
      '4 server assumed',
      '8 proxy_cache assumed',
      '9 proxy_cache not understood',
      '9 proxy_cache_bypass not understood',
      '11 allow not understood',
      '11 deny not understood',
      '12 limit_conn not understood',
      '12 limit_req assumed',
      '13 limit_req not understood',
    ],
  },
]

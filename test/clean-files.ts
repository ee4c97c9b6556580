/** A public key that somebody could have made for DKIM. */
const RSA_2048 =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuM09B5kbJkD5i1uqj4QO9t1unwvaGgVZ9woW+uZdKzZOWSgsUg1yB6i465bxE4oOPKbvrkaXfkrLqoaYBTRlAQDVH811dFjoX09YHif55RG944HLSlMxpCGlxlhdTtz6Q28pWu6EQAwDc74450wrI7/N04F7NHebDZ31q8ABcqBMyOg84KL/3AiPseEwF/4QedlhtPBB8dGcZc7xN3dSKGj70FZRzubJFcrneDIinSm+xpbtI/na1baUXNA6/sDA2AsMOWyMsm9coVgnikq1YFvMxF0LW+5ocXA4Cjoxo6gKrL2g0LqS/HGT8l6T37R4sXTFybTkmyIETJu7wAsj7QIDAQAB'

/** Files that nothing is wrong with, each of a kind that people have. */
export const cleanFiles: Readonly<Record<string, string>> = {
  'a blog with mail elsewhere: SPF, DKIM, DMARC, MTA-STS and TLS reports': `{
  "address": ["203.0.113.10", "2001:db8::10"],
  "contact": "me@example.com",
  "certificates": { "issuer": "letsencrypt" },
  "domains": {
    "example.com": {
      "hosts": {
        "@": { "service": 2368 },
        "www": { "redirect": "https://example.com" },
        "mta-sts": { "respond": { "body": "version: STSv1\\nmode: enforce\\nmx: *.mail.example\\nmax_age: 604800\\n" } }
      },
      "records": {
        "@": {
          "MX": ["10 mx1.mail.example", "20 mx2.mail.example"],
          "TXT": ["v=spf1 include:_spf.mail.example -all", "site-verification=8f2k"]
        },
        "sel1._domainkey": { "TXT": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
        "sel2._domainkey": { "TXT": "\\"v=DKIM1; k=rsa; p=${RSA_2048.slice(0, 200)}\\" \\"${RSA_2048.slice(200)}\\"" },
        "sel3._domainkey": { "CNAME": "sel3.dkim.mail.example" },
        "_dmarc": { "TXT": "v=DMARC1; p=reject; rua=mailto:reports@example.com" },
        "_mta-sts": { "TXT": "v=STSv1; id=20240101" },
        "_smtp._tls": { "TXT": "v=TLSRPTv1; rua=mailto:reports@example.com" }
      }
    }
  }
}`,
  'a product with aliases of other services': `{
  "address": "203.0.113.10",
  "domains": {
    "example.com": {
      "hosts": {
        "@": { "service": ["http://10.0.0.5:3000", "http://10.0.0.6:3000"] },
        "app": { "service": { "url": "https://10.0.0.7:8443", "verify": false } },
        "status": { "alias": "status.monitor.example" },
        "help": { "alias": "example.desk.example.net" },
        "cdn": { "alias": "d111.cdn.example.net" }
      },
      "records": {
        "em123": { "CNAME": "u123.sender.example.net" },
        "_verify.desk": { "TXT": "ok" }
      }
    }
  },
  "trust": ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]
}`,
  'a documentation site by routes': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": {
        "docs": {
          "routes": {
            "/": { "redirect": "/latest/" },
            "/latest/**": { "files": { "root": "./docs/latest", "index": "index.html" } },
            "/v1/**": { "files": "./docs/v1" },
            "/v1/*/edit": { "redirect": { "to": "https://git.example.net/docs", "status": 302 } },
            "/search/**": { "service": 7700 },
            "/health": { "respond": "ok" },
            "/caf\u00e9/*": { "respond": { "status": 404, "body": "gone" } },
            "/**": { "respond": { "status": 404, "headers": { "Content-Type": "text/html" }, "body": "<h1>No page</h1>" } }
          }
        }
      }
    }
  }
}`,
  'apps by wildcard': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": {
        "@": { "files": "./public" },
        "*": { "service": 8099 },
        "admin": { "service": 8100 },
        "*.preview": { "service": 8101 },
        "preview": { "redirect": "https://example.com/preview" }
      },
      "records": {
        "_dmarc": { "TXT": "v=DMARC1; p=none" },
        "k1._domainkey": { "TXT": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
        "@": { "TXT": "v=spf1 -all", "MX": "0 ." }
      }
    }
  }
}`,
  'a subdomain that others serve: NS, DS and glue': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": { "www": { "files": "./public" }, "*": { "service": 8099 } },
      "records": {
        "@": { "NS": ["ns1", "ns2.dns.example.net"] },
        "ns1": { "A": "203.0.113.10" },
        "lab": {
          "NS": ["ns1.lab.example.com", "ns2.lab.example.com"],
          "DS": "60485 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"
        },
        "ns1.lab": { "A": "198.51.100.1", "AAAA": "2001:db8:2::1" },
        "ns2.lab": { "A": "198.51.100.2" }
      }
    }
  }
}`,
  'verifications of several authorities': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": { "@": { "service": 8080 }, "www": { "service": 8080 } },
      "records": {
        "@": { "TXT": ["site-verification=a1", "domain-verification=\\"b2\\"", "MS=ms12345678"] },
        "_acme-challenge": { "TXT": ["gfj9Xq8n1tCCHEHUqkgQwXKyzB2vFO0JrYh5mPdQ2aA", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"] },
        "_acme-challenge.www": { "CNAME": "www.acme.example.net" },
        "_github-challenge-me": { "TXT": { "data": "5d8c", "ttl": 60 } },
        "k7h2lq": { "CNAME": "verify.example.net" }
      }
    }
  }
}`,
  'a domain outside ASCII': `{
  "address": ["203.0.113.10"],
  "domains": {
    "b\u00fccher.example": {
      "hosts": { "@": { "files": "./public" }, "L\u00e4den": { "service": 8081 }, "\u65e5\u672c": { "service": 8082 } },
      "records": { "@": { "MX": "10 post" }, "post": { "A": "198.51.100.3" } }
    }
  }
}`,
  'several domains that lead to one another': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": { "@": { "files": "./public" }, "www": { "redirect": "https://example.com" } },
      "records": { "@": { "MX": "10 mail.example.net" } }
    },
    "example.net": {
      "hosts": { "@": { "redirect": "https://example.com" }, "www": { "alias": "www.example.com" } },
      "records": { "mail": { "A": "203.0.113.10" }, "@": { "MX": "10 mail" } }
    },
    "dev.example.com": { "hosts": { "@": { "service": 8090 }, "*": { "service": 8091 } } },
    "113.0.203.in-addr.arpa": { "records": { "10": { "PTR": "example.com" } } }
  }
}`,
  'services beside the web: XMPP, a game, SIP, SSH keys and the place of a machine': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": { "@": { "files": "./public" }, "chat": { "service": 5280 } },
      "records": {
        "_xmpp-client._tcp": { "SRV": "0 5 5222 chat" },
        "_xmpp-server._tcp": { "SRV": "0 5 5269 chat.example.com" },
        "_minecraft._tcp": { "SRV": "0 0 25565 mc" },
        "_imap._tcp": { "SRV": "0 0 0 ." },
        "@": { "NAPTR": "10 100 \\"s\\" \\"SIP+D2T\\" \\"\\" _sip._tcp.example.com." },
        "_sip._tcp": { "SRV": ["10 60 5060 mc", "10 40 5060 sip.example.net"] },
        "mc": {
          "A": "203.0.113.10",
          "SSHFP": "4 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d",
          "LOC": "48 51 29.0 N 2 17 40.0 E 300m"
        }
      }
    }
  }
}`,
  'CAA, HTTPS and TLSA records': `{
  "address": ["203.0.113.10", "2001:db8::10"],
  "domains": {
    "example.com": {
      "ttl": 3600,
      "hosts": { "@": { "service": 8080 }, "www": { "service": 8080, "http": "serve" } },
      "records": {
        "@": {
          "CAA": ["0 issue \\"letsencrypt.org\\"", "0 issuewild \\";\\"", "0 iodef \\"mailto:admin@example.com\\""],
          "HTTPS": "1 . alpn=h2,http/1.1"
        },
        "www": { "HTTPS": "0 example.com", "TYPE65280": "\\\\# 4 c0000201" },
        "_443._tcp.www": { "TLSA": "3 1 1 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d" }
      }
    }
  }
}`,
  'every option of what passes through': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": {
        "app": {
          "compress": true,
          "security": true,
          "headers": {
            "request": { "set": { "X-Real-IP": "{client.address}", "X-Request-Id": "{request.id}" }, "remove": "Cookie" },
            "response": { "remove": ["Server", "X-Powered-By"], "add": { "Report-To": "{\\"group\\":\\"x\\"}" } }
          },
          "errors": { "404": "./404.html", "5xx": { "page": "./down.html", "origin": true } },
          "routes": {
            "/api/**": { "service": 8081, "strip": "/api", "compress": false },
            "/users/*/**": { "service": 8081, "rewrite": "/u/*/**" },
            "/**": { "files": "./public", "earlyHints": "</app.css>; rel=preload; as=style" }
          }
        },
        "shop": { "service": 8082, "rewrite": "/shop/**", "maintenance": { "page": "./soon.html", "retryAfter": "10m", "allow": ["10.0.0.0/8", "2001:db8::1"] } },
        "old": { "service": 8083, "maintenance": true }
      }
    }
  }
}`,
  'programs that Portico starts, every option beside them': `{
  // comments and trailing commas may stand
  "$schema": "./node_modules/portico/portico.schema.json",
  "address": ["203.0.113.10"],
  "contact": "admin@example.com",
  "domains": {
    "example.com": {
      "hosts": {
        "app": { "service": { "run": "node server.js --name 'my app'", "cwd": "./app", "env": { "MODE": "production" } } },
        "api": { "routes": { "/v1/**": { "service": { "run": ["python3", "-m", "api"], "port": 9001 } }, "/v2/**": { "service": 9002 } } },
      },
    },
  },
  "certificates": { "issuer": "local", "lifetime": "30d" },
  "listen": { "dns": ["203.0.113.10:53", "[::1]:53"], "http": ":80", "https": ":443", "admin": "127.0.0.1:9053" },
  "limits": { "http": { "body": "2GB", "idleTimeout": "30s", "headerFields": 64 }, "dns": { "udpPayload": 1232 } },
  "log": { "access": "./access.log", "console": "json" },
  "state": "./state",
}`,
  'a home network with names of its own': `{
  "address": "192.168.1.10",
  "domains": {
    "home.arpa": {
      "hosts": { "nas": { "service": "http://192.168.1.20:5000" }, "media": { "service": 8096 } },
      "records": { "printer": { "A": "192.168.1.30" }, "router": { "A": "192.168.1.1", "AAAA": "fd00::1" } }
    }
  }
}`,
  'a domain that sends and receives no mail': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": { "@": { "redirect": "https://example.net" }, "www": { "redirect": "https://example.net" } },
      "records": {
        "@": { "MX": "0 .", "TXT": "v=spf1 -all", "CAA": "0 issue \\";\\"" },
        "*._domainkey": { "TXT": "v=DKIM1; p=" },
        "_dmarc": { "TXT": "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s" }
      }
    }
  }
}`,
  'mail of our own: policies, reports to another domain of ours, a policy from files': `{
  "address": ["203.0.113.10", "2001:db8::10"],
  "contact": "postmaster@example.com",
  "certificates": { "issuer": ["letsencrypt", { "acme": "https://acme.example.net/directory" }] },
  "domains": {
    "example.com": {
      "hosts": { "mta-sts": { "files": "./mta-sts" }, "webmail": { "service": 8025 } },
      "records": {
        "@": { "MX": "10 mx", "TXT": "v=spf1 mx ip4:198.51.100.0/24 ip6:2001:db8:5::/48 include:_spf.example.com ~all" },
        "_spf": { "TXT": "v=spf1 include:news.example.net a:relay.example.net/28 exists:%{i}._spf.%{d2} -all" },
        "mx": { "A": "198.51.100.25", "AAAA": "2001:db8:5::25" },
        "_25._tcp.mx": { "TLSA": "3 1 1 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d" },
        "_submission._tcp": { "SRV": "0 1 587 mx" },
        "_imaps._tcp": { "SRV": "0 1 993 mx" },
        "_mta-sts": { "TXT": "v=STSv1; id=20260101T000000" },
        "_smtp._tls": { "TXT": "v=TLSRPTv1; rua=mailto:tls@example.com,https://reports.example.net/tls" },
        "_dmarc": { "TXT": "v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org!10m; fo=1:d" },
        "2026._domainkey": { "TXT": "\\"k=rsa; t=s; h=sha256; p=${RSA_2048.slice(0, 200)}\\" \\"${RSA_2048.slice(200)}\\"" }
      }
    },
    "example.org": { "records": { "example.com._report._dmarc": { "TXT": "v=DMARC1" } } }
  }
}`,
  'a zone that is signed elsewhere: DS of a child, keys at the apex, CDS': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "ttl": "1d",
      "hosts": { "@": { "files": "./public" } },
      "records": {
        "@": {
          "NS": ["ns1", "ns2.example.net", "ns3.example.org"],
          "DNSKEY": "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
          "CDS": "60485 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"
        },
        "ns1": { "A": "203.0.113.10", "AAAA": "2001:db8::53" },
        "eu": { "NS": ["ns1.example.net", "ns2.example.net"], "DS": "1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a" }
      }
    }
  }
}`,
  'an old domain that follows a new one by DNAME': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.net": {
      "hosts": { "@": { "redirect": "https://example.com" } },
      "records": { "go": { "DNAME": "links.example.com" }, "@": { "TXT": "moved to example.com" } }
    },
    "example.com": { "hosts": { "@": { "service": 8080 }, "a.links": { "service": 8081 } } }
  }
}`,
  'services behind HTTPS and SVCB records': `{
  "address": ["203.0.113.10", "2001:db8::10"],
  "domains": {
    "example.com": {
      "hosts": { "@": { "service": 8080 }, "www": { "service": 8080 }, "pool": { "service": 8082 } },
      "records": {
        "@": { "HTTPS": "1 . alpn=h2 ipv4hint=203.0.113.10 ipv6hint=2001:db8::10" },
        "www": { "HTTPS": "0 pool" },
        "pool": { "HTTPS": ["1 . alpn=h2", "2 backup.example.net alpn=h2 port=8443"] },
        "_dns.resolver": { "SVCB": "1 dns.example.net alpn=dot port=853" }
      }
    }
  }
}`,
  'tenants at two levels, each with a wildcard': `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": {
      "hosts": {
        "@": { "files": "./site" },
        "*": { "service": 8080 },
        "*.eu": { "service": 8081 },
        "eu": { "redirect": "https://www.eu.example.com" },
        "status": { "alias": "example.com" }
      },
      "records": { "legacy": { "A": "203.0.113.10" }, "old.eu": { "A": "203.0.113.10" }, "shop": { "ALIAS": "shop.example.net" } }
    }
  }
}`,
  'the reverse zones of a network': `{
  "address": ["203.0.113.10"],
  "domains": {
    "113.0.203.in-addr.arpa": {
      "records": {
        "@": { "NS": ["ns1.example.com", "ns2.example.net"] },
        "10": { "PTR": "example.com" },
        "25": { "PTR": "mail.example.com" }
      }
    },
    "8.b.d.0.1.0.0.2.ip6.arpa": {
      "records": {
        "@": { "NS": ["ns1.example.com", "ns2.example.net"] },
        "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0": { "PTR": "example.com" }
      }
    }
  }
}`,
  'several words for several things: keys of vendors, long texts in strings, odd but right': `{
  "address": ["203.0.113.10"],
  "domains": {
    "Example.COM": {
      "ttl": 600,
      "hosts": { "WWW": { "service": 8080 }, "xn--bcher-kva": { "service": 8081 }, "3d": { "service": 8082 } },
      "records": {
        "@": {
          "TXT": ["spf2.0/pra -all", "v=spf1 redirect=_spf.example.net", "atlassian-domain-verification=x/y+z=", "keybase-site-verification=1"],
          "SSHFP": ["1 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d", "4 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d"],
          "MX": [{ "data": ["10 Mail.Example.NET", "20 mail2.example.net"], "ttl": "1h" }]
        },
        "_ldap._tcp.dc._msdcs": { "SRV": "0 100 389 dc1" },
        "dc1": { "A": "198.51.100.4" },
        "_amazonses": { "TXT": "pmBGN/7MjnfhTKUZ06Enqq1PeGUaOkw8lGhcfwefcHU=" },
        "long": { "TXT": "\\"first\\" \\"second\\"" },
        "*.dyn": { "TXT": "wildcards hold texts too" }
      }
    }
  }
}`,
  'only names: a zone without a host, delegated parts of it': `{
  "domains": {
    "corp.example.com": {
      "records": {
        "@": { "NS": ["a.ns.example.net", "b.ns.example.net"] },
        "vpn": { "A": "198.51.100.5", "AAAA": "2001:db8:6::5" },
        "git": { "CNAME": "vpn" },
        "sales": { "NS": ["ns1.sales.corp.example.com", "ns2.sales.corp.example.com"] },
        "ns1.sales.corp.example.com.": { "A": "198.51.100.6" },
        "ns2.sales": { "A": "198.51.100.7" }
      }
    }
  }
}`,
}

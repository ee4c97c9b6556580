/**
 * A file as people write them, with one fault in each line that ends in `// FAULT code`.
 *
 * The problem stands in that line, where the text after the code does first.
 */
export const faultyFile: string = `{
  // What nginx did until last year, moved in one evening.
  "address": ["203.0.113.10", "2001:db8::10"],
  "contact": "admin@example.com",
  "domains": {
    "example.com": {
      "ttl": "1h",
      "hosts": {
        "@": { "files": "./public" },
        "www": { "redirect": "https://example.com" },
        "api": { "service": 8081, "htttp": "serve" }, // FAULT config/unknown-key AT "htttp"
        "app": { "service": 8443 }, // FAULT plan/listener-clash AT "app"
        "shop": { "alias": "198.51.100.20" }, // FAULT dns/cname-to-address AT "shop"
        "my_files": { "files": "./files" }, // FAULT dns/underscore-on-address AT "my_files"
        "q&a": { "service": 8083 }, // FAULT dns/host-name-characters AT "q&a"
        "a-label-of-a-length-that-nobody-would-write-by-hand-but-programs-do": { "service": 8084 }, // FAULT dns/label-too-long AT "a-label
        "docs": {
          "routes": {
            "/api/**": { "service": 8085 },
            "/%61pi/**": { "service": 8086 }, // FAULT http/routes-tie AT "/%61pi/**"
            "/**": { "files": "./docs" }
          }
        },
        "grün": { "service": 8087 },
        "old": { "redirect": "example.com" }, // FAULT http/redirect-target AT "old"
        "x.lab": { "service": 8088 }, // FAULT dns/below-delegation AT "x.lab"
        "*": { "service": 8099 }
      },
      "records": {
        "@": {
          "MX": ["10 mail", "20 backup", "30 shop2"], // FAULT dns/mx-target-is-alias AT "30 shop2"
          "NS": ["ns1", "ns2", "alias-ns"], // FAULT dns/ns-target-is-alias AT "alias-ns"
          "TXT": [
            "v=spf1 mx -all",
            "v=spf1 include:_spf.example.net -all", // FAULT dns/several-spf AT "v=spf1
            { "data": "site-verification=k3u9", "ttl": 60 } // FAULT dns/ttl-differs AT "site
          ],
          "CAA": "0 issue \\"letsencrypt.org\\""
        },
        "mail": { "A": "203.0.113.10" },
        "backup": { "A": "198.51.100.7" },
        "shop2": { "CNAME": "shops.example.net" },
        "ns1": { "A": "203.0.113.10" },
        "ns2": { "A": "198.51.100.8", "AAAA": "198.51.100.8" }, // FAULT dns/record-data AT "198.51.100.8" }
        "alias-ns": { "CNAME": "ns.example.net" },
        "blog": { "CNAME": "blogs.example.net", "TXT": "owner=me" }, // FAULT dns/cname-and-other-data AT "blogs
        "wiki": { "CNAME": ["wiki1.example.net", "wiki2.example.net"] }, // FAULT dns/several-cnames AT "wiki2
        "one": { "CNAME": "two" }, // FAULT dns/cname-loop AT "two"
        "two": { "CNAME": "one" },
        "_xmpp-server._tcp": { "SRV": "0 5 5269 blog2" }, // FAULT dns/srv-target-is-alias AT "0 5
        "blog2": { "CNAME": "blogs.example.net" },
        "ftp": { "A": ["198.51.100.9", "198.51.100.9"] }, // FAULT dns/duplicate-record AT "198.51.100.9"] 
        "slow": { "A": { "data": "198.51.100.11", "ttl": -1 } }, // FAULT dns/ttl-range AT "198.51.100.11"
        "_notes": { "TXT": "${'k'.repeat(270)}" }, // FAULT dns/txt-split AT "kkk
        "x.*.apps": { "TXT": "x" }, // FAULT dns/wildcard-not-leftmost AT "x" }
        "news": { "MX": "10 mail" }, // FAULT dns/wildcard-does-not-reach AT "10 mail"
        "lab": { "NS": ["ns.example.net"] },
        "cal.example.com": { "A": "198.51.100.12" }, // FAULT dns/domain-in-name AT "cal
        "vpn": { "TXTT": "x" } // FAULT dns/unknown-type AT "TXTT"
      }
    },
    "example.org": {
      "hosts": {
        "@": { "alias": "example.com" }, // FAULT dns/cname-at-apex AT "@"
        "static": { "files": "./static" } // FAULT plan/host-without-address AT "static"
      },
      "records": {
        "static": { "A": [], "AAAA": [] },
        "game": { "A": "203.0.113.10" }, // FAULT plan/address-without-host AT "203.0.113.10"
        "nas": { "A": "192.168.0.7" }, // FAULT dns/private-address AT "192.168.0.7"
        "old": { "A": { "data": "198.51.100.13", "ttl": "4w" } }, // FAULT dns/ttl-unusual AT "198.51.100.13"
        "shop": { "CNAME": "store" }, // FAULT dns/alias-of-nothing AT "store"
        "pbx": { "SRV": "0 0 5060 sip.example.net" }, // FAULT dns/underscore-missing AT "0 0
        "east": { "NS": "ns1.east.example.org" }, // FAULT dns/glue-missing AT "ns1.east
        "west": { "DS": "1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a" }, // FAULT dns/ds-place AT "1 13
        "*.pool": { "NS": ["ns1.example.net", "ns2.example.net"] }, // FAULT dns/wildcard-delegation AT "ns1.example.net"
        "cdn": { "HTTPS": ["0 a.cdn.example.net", "1 b.cdn.example.net"] }, // FAULT dns/svcb-alias AT "0 a
        "lists": { "MX": ["0 .", "10 mx.example.net"] }, // FAULT dns/null-target-not-alone AT "0 ."
        "news": { "TXT": "v=spf1 ptr include:_spf.example.net -all" }, // FAULT dns/spf-ptr AT "v=spf1
        "alerts": { "TXT": "v=spf1 ip4:198.51.100.300 -all" }, // FAULT dns/spf-syntax AT "v=spf1
        "_dmarc": { "TXT": "v=DMARC1; p=rejct" }, // FAULT dns/dmarc AT "v=DMARC1
        "mail._domainkey": { "TXT": "v=DKIM1; k=rsa" }, // FAULT dns/dkim-key AT "v=DKIM1
        "_mta-sts": { "TXT": "v=STSv1; id=20260101" }, // FAULT plan/mta-sts-unserved AT "v=STSv1
        "_smtp._tls": { "TXT": "v=TLSRPTv1" }, // FAULT dns/tls-reports AT "v=TLSRPTv1
        "b\u00fc\u2764": { "TXT": "x" } // FAULT dns/idna-character AT "x" }
      }
    }
  },
  "listen": { "dns": "203.0.113.10:53", "http": ":80", "https": [":443", ":8443"] },
  "trust": ["10.0.0.0/8", "10.1.0.0/99"], // FAULT plan/not-a-network AT "10.1.0.0/99"
  "limits": {
    "http": {
      "body": 500, // FAULT config/size-without-unit AT 500
      "idleTimeout": 75 // FAULT config/duration-without-unit AT 75
    }
  }
}
`

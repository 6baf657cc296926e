package outbound

import (
	"net/netip"
	"syscall"
)

// special are the networks that no stranger's request may reach, from the IANA
// IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), those
// that are globally reachable included: none of them is a place where somebody
// receives webhooks. Of IPv6 everything outside of 2000::/3 is refused beside them.
func special() []netip.Prefix {
	var list []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8",         // "this network", RFC 791; 0.0.0.0 is loopback on Linux
		"10.0.0.0/8",        // private use, RFC 1918
		"100.64.0.0/10",     // shared, carrier-grade NAT, RFC 6598; Alibaba's metadata
		"127.0.0.0/8",       // loopback, RFC 1122
		"168.63.129.16/32",  // Azure's wire server: public by number only
		"169.254.0.0/16",    // link-local, RFC 3927; metadata of most clouds
		"172.16.0.0/12",     // private use, RFC 1918
		"192.0.0.0/24",      // IETF protocol assignments, RFC 6890; Oracle's metadata
		"192.0.2.0/24",      // documentation, RFC 5737
		"192.31.196.0/24",   // AS112-v4, RFC 7535
		"192.52.193.0/24",   // AMT, RFC 7450
		"192.88.99.0/24",    // 6to4 relay anycast, RFC 7526
		"192.168.0.0/16",    // private use, RFC 1918
		"192.175.48.0/24",   // AS112 direct delegation, RFC 7534
		"198.18.0.0/15",     // benchmarking, RFC 2544
		"198.51.100.0/24",   // documentation, RFC 5737
		"203.0.113.0/24",    // documentation, RFC 5737
		"224.0.0.0/4",       // multicast, RFC 5771
		"240.0.0.0/4",       // reserved, RFC 1112, and limited broadcast, RFC 8190
		"2001::/23",         // IETF protocol assignments, RFC 2928: Teredo, benchmarking, ORCHID
		"2001:db8::/32",     // documentation, RFC 3849
		"2002::/16",         // 6to4, RFC 3056: an IPv4 address inside
		"2620:4f:8000::/48", // AS112 direct delegation, RFC 7534
		"3ffe::/16",         // 6bone, returned, RFC 3701
		"3fff::/20",         // documentation, RFC 9637
		"::/128",            // unspecified, RFC 4291
		"::1/128",           // loopback, RFC 4291
		"::/96",             // IPv4-compatible, deprecated, RFC 4291
		"::ffff:0:0/96",     // IPv4-mapped, RFC 4291
		"::ffff:0:0:0/96",   // IPv4-translated, RFC 2765
		"64:ff9b::/96",      // NAT64, RFC 6052: an IPv4 address inside
		"64:ff9b:1::/48",    // NAT64 of local use, RFC 8215
		"100::/64",          // discard only, RFC 6666
		"100:0:0:1::/64",    // dummy prefix, RFC 9780
		"5f00::/16",         // segment routing, RFC 9602
		"fc00::/7",          // unique local, RFC 4193; Amazon's metadata
		"fe80::/10",         // link-local, RFC 4291
		"fec0::/10",         // site-local, deprecated, RFC 3879
		"ff00::/8",          // multicast, RFC 4291
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}

// Public reports whether an address is one of the internet's: global unicast and
// in none of IANA's special ranges. An IPv4 address in the dress of IPv6 is not,
// and neither is one with a zone.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
		return false
	}
	if a.Is6() {
		b := a.As16()
		if b[0]&0xe0 != 0x20 { // outside of 2000::/3, all that IANA has given out
			return false
		}
		if b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214: an IPv4 address inside
			return false
		}
	}
	return !within(special(), a)
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// allowed reports whether this client may connect to an address.
func (k *Client) allowed(a netip.Addr) bool {
	if plain := a.Unmap(); within(k.Deny, plain) {
		return false
	}
	return Public(a) || a.Zone() == "" && within(k.Allow, a)
}

// control stands between a socket and its connect; what it sees is the address
// that the kernel will be given.
func (k *Client) control(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !k.allowed(at.Addr()) {
		return errInside
	}
	return nil
}

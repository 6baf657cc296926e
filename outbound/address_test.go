package outbound

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	for _, c := range []struct {
		addr string
		want bool
	}{
		{"1.1.1.1", true}, {"8.8.8.8", true}, {"9.255.255.255", true}, {"11.0.0.0", true},
		{"100.63.255.255", true}, {"100.128.0.0", true}, {"172.15.255.255", true}, {"172.32.0.0", true},
		{"169.253.255.255", true}, {"169.255.0.0", true}, {"192.0.1.0", true}, {"198.17.255.255", true},
		{"198.20.0.0", true}, {"223.255.255.255", true}, {"168.63.129.15", true}, {"126.255.255.255", true}, {"128.0.0.0", true},
		{"2606:4700:4700::1111", true}, {"2a00:1450:4001:81b::200e", true}, {"2001:200::1", true}, {"2003::1", true},

		{"0.0.0.0", false}, {"0.1.2.3", false}, {"10.0.0.1", false}, {"10.255.255.255", false},
		{"100.64.0.0", false}, {"100.100.100.200", false}, {"100.127.255.255", false},
		{"127.0.0.1", false}, {"127.255.255.255", false}, {"168.63.129.16", false},
		{"169.254.169.254", false}, {"169.254.170.2", false}, {"172.16.0.1", false}, {"172.31.255.255", false},
		{"192.0.0.1", false}, {"192.0.0.192", false}, {"192.0.2.1", false}, {"192.31.196.1", false}, {"192.52.193.1", false},
		{"192.88.99.1", false}, {"192.168.1.1", false}, {"192.175.48.1", false},
		{"198.18.0.1", false}, {"198.19.255.255", false}, {"198.51.100.1", false}, {"203.0.113.1", false},
		{"224.0.0.1", false}, {"239.255.255.255", false}, {"240.0.0.1", false}, {"255.255.255.255", false},

		{"::", false}, {"::1", false}, {"::7f00:1", false}, {"::ffff:127.0.0.1", false}, {"::ffff:8.8.8.8", false}, {"::ffff:0:7f00:1", false},
		{"64:ff9b::7f00:1", false}, {"64:ff9b::808:808", false}, {"64:ff9b:1::1", false},
		{"100::1", false}, {"100:0:0:1::1", false}, {"2001::1", false}, {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
		{"2001:2::1", false}, {"2001:10::1", false}, {"2001:20::1", false}, {"2001:1ff::1", false}, {"2001:db8::1", false},
		{"2002:7f00:1::", false}, {"2002:808:808::1", false}, {"2620:4f:8000::1", false}, {"3ffe::1", false}, {"3fff::1", false},
		{"5f00::1", false}, {"fc00::1", false}, {"fd00:ec2::254", false}, {"fe80::1", false}, {"fe80::1%eth0", false},
		{"fec0::1", false}, {"ff02::1", false}, {"4000::1", false}, {"2606:4700::5efe:7f00:1", false}, {"2606:4700::200:5efe:a00:1", false},
	} {
		if got := Public(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("Public(%s) = %t, want %t", c.addr, got, c.want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

func TestAllowAndDeny(t *testing.T) {
	k := New(Config{
		Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")},
		Deny:  []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("1.1.1.0/24")},
	})
	for _, c := range []struct {
		addr string
		want bool
	}{
		{"10.1.0.1", true}, {"10.2.0.1", false}, {"10.1.2.3", false}, {"::ffff:10.1.0.1", false}, {"::ffff:1.1.1.1", false},
		{"fd00::1", true}, {"fd00::1%eth0", false}, {"fc00::1", false}, {"1.1.1.1", false}, {"1.0.0.1", true}, {"127.0.0.1", false},
	} {
		if got := k.allowed(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("allowed(%s) = %t, want %t", c.addr, got, c.want)
		}
	}
	for address, ok := range map[string]bool{"10.1.0.1:443": true, "10.2.0.1:443": false, "[fe80::1%lo]:443": false, "nonsense": false} {
		if err := k.control("tcp4", address, nil); (err == nil) != ok {
			t.Errorf("control(%s): %v", address, err)
		}
	}
	if err := k.control("udp4", "10.1.0.1:443", nil); err == nil {
		t.Error("control lets something through that is not TCP")
	}
}

import Patcher
import Testing

@Suite struct HardwareAddressTests {
    @Test(arguments: ["00:50:56:AA:bb:01", "00-50-56-aa-bb-01", "0050.56aa.bb01", "005056AABB01"])
    func spellings(_ text: String) throws {
        #expect(try #require(HardwareAddress(text)).text == firstAddress)
    }

    @Test(arguments: [
        "", "00:50:56:aa:bb", "00:50:56:aa:bb:0", "00:50:56:aa:bb:1:2", "00:50-56:aa:bb:01",
        "00:50:56:aa:bb:0g",
        "0050:56aa:bb01", "00.50.56.aa.bb.01", " 00:50:56:aa:bb:01", "random", "0;80;86;170;187;1",
        "::::::::",
    ])
    func othersAreNone(_ text: String) { #expect(HardwareAddress(text) == nil) }

    @Test func keepsTheSpellingOfAnother() throws {
        let new = try #require(HardwareAddress("52:54:00:ab:cd:ef"))
        #expect(new.text(spelledAs: "00:50:56:AA:BB:01") == "52:54:00:AB:CD:EF")
        #expect(new.text(spelledAs: "00-50-56-aa-bb-01") == "52-54-00-ab-cd-ef")
        #expect(new.text(spelledAs: "0050.56aa.bb01") == "5254.00ab.cdef")
        #expect(new.text(spelledAs: "00:50:56:11:22:33") == "52:54:00:ab:cd:ef")
        #expect(new.text(spelledAs: "005056aabb01") == "525400abcdef")
    }

    @Test func whatOneCardCanHave() throws {
        #expect(try #require(HardwareAddress(newAddress)).isOfOneCard)
        #expect(try #require(HardwareAddress("0e:00:00:00:00:01")).isOfOneCard)
        for none in ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"] {
            #expect(try !#require(HardwareAddress(none)).isOfOneCard)
        }
    }

    @Test func namesOfCards() {
        for name in [
            "ens192", "enp0s3", "enp6s18", "enp1s0f0np0", "eno1", "enX0", "em1", "p2p1", "enx005056aabb01",
        ] {
            #expect(CardName.isByPlace(name), "\(name)")
        }
        for name in [
            "eth0", "lo", "br0", "bond0", "vlan10", "ens", "enterprise", "em", "p2p", "enx00", "wlp2s0",
            "docker0", "eth", "ens192.100",
        ] {
            #expect(!CardName.isByPlace(name), "\(name)")
        }
        #expect(
            CardName.isByKernel("eth12") && !CardName.isByKernel("eth0:1") && !CardName.isByKernel("ether0"))
        #expect(CardName.base("eth0:1") == "eth0" && CardName.base("ens192.100") == "ens192")
        #expect(CardName.fixed(inPattern: "en*") == nil && CardName.fixed(inPattern: "ens19*") == "ens19*")
        #expect(
            CardName.isPlain("lan-0") && !CardName.isPlain("a\"b") && !CardName.isPlain("sixteenletters16"))
        #expect(HardwareAddress(cardName: "enx005056aabb01") == HardwareAddress(firstAddress))
    }
}

import Patcher
import TestSupport
import Testing

/// What a system is comes from what it calls itself for programs; its name for people decides nothing.
struct ReleaseTests {
    @Test(arguments: [
        ("ID=fedora\nVERSION_ID=40\nPRETTY_NAME=\"Fedora Linux 40\"\n", OSRelease.Distribution.fedora),
        ("ID=amzn\nVERSION_ID=2023\nPRETTY_NAME=\"Amazon Linux 2023\"\n", .amazon),
        ("ID=\"opensuse-leap\"\nVERSION_ID=15.5\nPRETTY_NAME=\"openSUSE Leap 15.5\"\n", .openSUSE),
        ("ID=sles\nVERSION_ID=15.5\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15\"\n", .other),
        ("ID=rhel\nID_LIKE=fedora\nVERSION_ID=9.3\nPRETTY_NAME=\"Red Hat Enterprise Linux 9\"\n", .other),
        // What people call it names another.
        ("ID=rhel\nVERSION_ID=9\nPRETTY_NAME=\"Built from Fedora 34 for Amazon\"\n", .other),
        ("ID=fedora\nVERSION_ID=40\nPRETTY_NAME=\"The Company's Desktop\"\n", .fedora),
        ("ID=opensuse\nNAME=openSUSE\nVERSION_ID=13.2\nPRETTY_NAME=Harlequin\n", .openSUSE),
    ])
    func distributions(_ text: String, _ distribution: OSRelease.Distribution) throws {
        let guest = FieldGuest(os: text)
        let release = try #require(try guest.disk.survey().guests.first?.release)
        #expect(release.distribution == distribution)
        #expect(release.countsOtherwise == [.fedora, .amazon].contains(distribution))
    }
}

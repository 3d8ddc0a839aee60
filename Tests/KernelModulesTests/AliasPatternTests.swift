import KernelModules
import Storage
import TestSupport
import Testing

/// Patterns as fnmatch(3) matches them.
@Suite struct AliasPatternTests {
    @Test(arguments: [
        ("pci:v00001AF4d*sv*sd*bc*sc*i*", "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00", true),
        ("pci:v00001AF4d*sv*sd*bc*sc*i*", "pci:v00001AF5d00001001sv00001AF4sd00000002bc01sc00i00", false),
        ("pci:v*d*sv*sd*bc01sc06i01*", "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", true),
        ("virtio:d00000002v*", "virtio:d00000002v00001AF4", true),
        ("scsi:t-0x00*", "scsi:t-0x00", true),
        ("scsi:t_0x00*", "scsi:t-0x00", true),
        ("scsi:t-0x00*", "scsi:t-0x01", false),
        ("acpi*:VMBUS:*", "acpi:VMBUS:VMBus:", true),
        ("usb:v05ACp12[8-8]*d*", "usb:v05ACp1293d0100", false),
        ("usb:v05ACp129[0-4]d*", "usb:v05ACp1293d0100", true),
        ("usb:v05ACp129[!0-4]d*", "usb:v05ACp1293d0100", false),
        ("usb:v05ACp129[^0-4]d*", "usb:v05ACp1297d0100", true),
        ("a[]x]b", "a]b", true),
        ("a[", "a[", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "axb", false),
        ("a?c", "a/c", true),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
        ("a*b*c", "aXbXbXc", true),
        ("a*b*c", "aXbXbX", false),
        ("fs-ext4", "fs_ext4", true),
        ("md-level-1", "md-level-10", false),
    ])
    func patternsMatchAsInTheKernelsWorld(_ pattern: String, _ text: String, _ isMatch: Bool) {
        #expect(AliasPattern.matches(pattern, text) == isMatch)
    }

    @Test func manyAsterisksTakeNoLongerThanTheProductOfTheLengths() {
        let pattern = String(repeating: "a*", count: 2000) + "b"
        let text = String(repeating: "a", count: 4000)
        #expect(!AliasPattern.matches(pattern, text))
    }
}

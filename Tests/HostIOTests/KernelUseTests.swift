internal import Storage
internal import Testing

@testable internal import HostIO

/// Which loop devices are looked at.
struct KernelUseTests {
    @Test func loopDevicesOutOfTheTableOfPartitions() {
        let table = """
            major minor  #blocks  name

               7        0     102400 loop0
             259        0     101376 loop0p1
               7       12          4 loop12
             254        0  268435456 vda
             254        1  268434432 vda1
               7        1          1 loopback
            """
        #expect(KernelUse.Loop.names(table) == ["loop0", "loop12"])
        #expect(KernelUse.Loop.names("").isEmpty)
    }
}

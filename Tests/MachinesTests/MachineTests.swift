import Machines
import Testing

struct MachineTests {
    @Test func nothingIsKnownOfANewMachine() {
        let machine = Machine(name: "web")
        #expect(machine.name == "web")
        #expect(machine.firmware == nil)
        #expect(machine.disks.isEmpty)
    }
}

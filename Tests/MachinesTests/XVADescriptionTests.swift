import Machines
import Storage
import Testing

struct XVADescriptionTests {
    static func member(_ name: String, _ value: String) -> String {
        "<member><name>\(name)</name><value>\(value)</value></member>"
    }

    static func object(_ kind: String, _ id: String, _ members: [(String, String)]) -> String {
        let snapshot = "<struct>" + members.map { member($0.0, $0.1) }.joined() + "</struct>"
        return
            "<value><struct>\(member("class", kind))\(member("id", id))\(member("snapshot", snapshot))</struct></value>"
    }

    static func text(_ objects: [String]) -> [UInt8] {
        Array(
            "<value><struct>\(member("objects", "<array><data>\(objects.joined())</data></array>"))</struct></value>"
                .utf8)
    }

    static func machine(_ more: [(String, String)] = []) -> String {
        object(
            "VM", "Ref:0",
            [("name_label", "web"), ("memory_static_max", "2147483648"), ("VCPUs_at_startup", "2")] + more)
    }

    static func disk(_ number: Int, place: String, size: String = "8388608") -> [String] {
        [
            object(
                "VBD", "Ref:\(number + 100)",
                [
                    ("VM", "Ref:0"), ("VDI", "Ref:\(number)"), ("userdevice", place), ("type", "Disk"),
                    ("bootable", "<boolean>1</boolean>"),
                ]
            ), object("VDI", "Ref:\(number)", [("virtual_size", size)]),
        ]
    }

    /// By the place at the machine, not by the order in the text or of the references as strings.
    @Test func disksAreInTheOrderOfTheirPlaces() throws {
        let hvm = [
            ("HVM_boot_policy", "BIOS order"),
            ("HVM_boot_params", "<struct>\(Self.member("firmware", "uefi"))</struct>"),
        ]
        let machine = try XVADescription.read(
            Self.text(
                [Self.machine(hvm)] + Self.disk(4, place: "10") + Self.disk(10, place: "2")
                    + Self.disk(7, place: "0")
                    + [
                        Self.object(
                            "VIF", "Ref:9",
                            [
                                ("VM", "Ref:0"), ("device", "0"), ("MAC", "aa:bb:cc:00:00:01"),
                                ("network", "Ref:8"),
                            ]),
                        Self.object("network", "Ref:8", [("name_label", "Pool-wide")]),
                    ]))
        #expect(machine.name == "web" && machine.firmware == .uefi && !machine.isParavirtualized)
        #expect(machine.disks.map(\.file) == ["Ref:7", "Ref:10", "Ref:4"])
        #expect(machine.disks.map(\.unit) == [0, 2, 10])
        #expect(machine.cards == [.init(address: "aa:bb:cc:00:00:01", network: "Pool-wide")])
    }

    @Test func aMachineWithoutBootPolicyIsParavirtualized() throws {
        let machine = try XVADescription.read(Self.text([Self.machine()] + Self.disk(4, place: "xvda")))
        #expect(machine.isParavirtualized && machine.firmware == nil && machine.disks.first?.unit == 0)
    }

    @Test func damage() throws {
        func code(_ objects: [String]) throws -> StorageError {
            try #require(throws: StorageError.self) { try XVADescription.read(Self.text(objects)) }
        }
        #expect(try code([]).isCode(MachineCode.otherLanguage))
        #expect(try code([Self.object("VDI", "Ref:1", [])]).isCode(MachineCode.noMachine))
        #expect(
            try code([Self.machine(), Self.object("VM", "Ref:50", [("name_label", "db")])]).isCode(
                MachineCode.severalMachines))
        #expect(
            try code([Self.machine()] + Self.disk(4, place: "0").dropLast()).isCode(
                MachineCode.danglingReference))
        #expect(
            try code([Self.machine()] + Self.disk(4, place: "0", size: "99999999999999999999")).isCode(
                MachineCode.badNumber))
        #expect(
            try code([Self.machine()] + Self.disk(4, place: "0") + Self.disk(5, place: "0")).isCode(
                MachineCode.contradiction))
    }
}

/// LVM's devices file (lvmdevices(8)): rows of `NAME=value` words, each with the physical volume that it is for.
package struct LVMDevicesFile: ConfigurationSyntax {
    package static let kind = ConfigurationKind("lvm-devices")
    package static let places: [ConfigurationPlace] = [.path("/etc/lvm/devices/system.devices")]

    /// One device that LVM may look at.
    struct Row: Sendable {
        /// What kind of name it is known by: IDTYPE.
        var type: Range<Int>
        /// That name: IDNAME.
        var name: Range<Int>
        /// What it was called when it was seen last: DEVNAME. A hint for people.
        var device: Range<Int>?
        /// Its partition's number, where there is one: the value of PART, and the whole word.
        var part: (value: Range<Int>, word: Range<Int>)?
        /// Where the last word ends.
        var end: Int
        /// The identifier of the physical volume on it, without dashes; nil where there was none: PVID.
        var pvid: String?
        /// The words of the first two.
        var typeText: String
        var nameText: String

        /// What the machine's disks, or their controllers, tell of themselves.
        var isOfHardware: Bool {
            ["sys_wwid", "sys_serial", "mpath_uuid"].contains(typeText) || typeText.hasPrefix("wwid_")
        }

        /// That, or a name by the machine's order of disks.
        var isOfMachine: Bool { isOfHardware || typeText == "devname" }
    }

    /// Its rows.
    let rows: [Row]

    /// It knows which machine it is for: on another, LVM (2.03.23) looks for the physical volumes of the rows on every device.
    let looksFurther: Bool

    package init(_ bytes: [UInt8], path: String) {
        let lines = FieldTable(bytes).rows.map { KernelCommandLine(bytes, words: $0.ranges) }
        rows = lines.compactMap { Row(bytes, $0) }
        looksFurther = lines.contains { $0.has("PRODUCT_UUID") || $0.has("HOSTNAME") }
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.compactMap { row in
            guard let range = row.device else { return nil }
            return DeviceSite(range: range, text: bytes.text(range), use: .lvmDevice(pvid: row.pvid))
        }
    }
}

extension LVMDevicesFile.Row {
    fileprivate init?(_ bytes: [UInt8], _ line: KernelCommandLine) {
        guard let type = line.last("IDTYPE")?.valueRange, let name = line.last("IDNAME")?.valueRange else {
            return nil
        }
        let pvid = line.last("PVID")?.valueRange.map { bytes.text($0).filter { $0 != "-" } }
        self.init(
            type: type, name: name, device: line.last("DEVNAME")?.valueRange,
            part: line.last("PART").flatMap { word in word.valueRange.map { ($0, word.range) } },
            end: line.arguments.last?.range.upperBound ?? name.upperBound,
            pvid: ["", ".", "none"].contains(pvid ?? "") ? nil : pvid, typeText: bytes.text(type),
            nameText: bytes.text(name))
    }
}

extension LVMDevicesFile {
    /// Whether LVM looks at a physical volume because of one of the rows.
    /// - Parameters:
    ///   - pvid: its identifier without dashes
    ///   - name: what the machine calls its device
    ///   - others: what it calls the other volumes
    ///   - keepsHardware: the machine's disks tell of themselves what those of the old one did
    func finds(_ pvid: String, at name: String?, amid others: Set<String>, keepsHardware: Bool) -> Bool {
        rows.contains { row in
            guard let own = row.pvid else { return row.typeText == "devname" && row.nameText == name }
            guard own == pvid else { return false }
            if looksFurther { return true }
            if row.isOfHardware { return keepsHardware }
            // A name that is not there is looked for by the identifier, one that is another volume's is not.
            return row.typeText != "devname" || row.nameText == name || !others.contains(row.nameText)
        }
    }
}

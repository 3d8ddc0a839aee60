/// A name for a whole disk that depends on how the hypervisor presents it: by driver and letter, by the serial
/// number that the hypervisor invents, or by the bus address.
package struct DiskName: Hashable, Sendable, CustomStringConvertible {
    /// How a name counts.
    package enum Family: String, Hashable, Sendable {
        /// SCSI, SATA and libata's IDE disks: by order of detection.
        case sd
        /// The old IDE driver's: by channel and unit; hdc is where the optical drive usually sits.
        case hd
        /// virtio-blk: by order of detection.
        case vd
        /// Xen's paravirtual disks: by the name in the configuration.
        case xvd
        /// NVMe controllers and name spaces.
        case nvme
        /// HP Smart Array.
        case cciss
        /// Compaq's arrays before it.
        case ida
        /// Mylex' arrays (DAC960).
        case rd
        /// Disks of I2O controllers (`i2o/hda`): by order of detection.
        case i2o
        /// Mirrors and stripes of IDE controllers before the device mapper (`ataraid/d0`).
        case ataraid
        /// AMI's IDE arrays (`amiraid/ar0`).
        case amiraid
        /// Promise's SATA controllers with a driver of their own (`sx8/0`).
        case sx8
        /// Micro Memory's cards (`umem/d0`).
        case umem
        /// ATA over Ethernet (`etherd/e0.1`): by shelf and slot on the network.
        case etherd
        /// Cards and soldered memory (MMC, SD): by order of detection.
        case mmc
        /// `QM0000N`: the serial number that QEMU gives its N-th IDE drive position.
        case qemuSerial
        /// `…-scsi-0:C:T:L` of by-path: channel, target and LUN behind a controller.
        case scsiAddress
        /// `…-nvme-N` of by-path: name space N behind a controller.
        case nvmeAddress
        /// `…-ide-C:U` of by-path: IDE channel and unit, as hd names count.
        case idePosition
        /// `…-ata-N` of by-path: SATA port N.
        case ataPort
        /// A by-id name with the hardware's own serial number: says nothing about the order.
        case serial
        /// Another by-path name.
        case busAddress
        /// A disk that several paths lead to (/dev/mapper/mpatha, or by its WWID): numbered by a table of the guest's own.
        case multipath
        /// A link of Azure's agent: by the LUN of the disk, or by what the disk is there.
        case azureLink

        /// A name that drivers give by the order in which disks are found.
        package var isLettered: Bool {
            switch self {
            case .sd, .hd, .vd, .xvd, .nvme, .mmc: true
            case .cciss, .ida, .rd, .i2o, .ataraid, .amiraid, .sx8, .umem: true
            case .qemuSerial, .scsiAddress, .nvmeAddress, .idePosition, .ataPort, .serial, .busAddress,
                .etherd, .multipath, .azureLink:
                false
            }
        }

        /// A name of hardware that no hypervisor shows: whatever one is said to be the source, the guest came to it from there.
        var isOfHardware: Bool {
            switch self {
            case .cciss, .ida, .rd, .i2o, .ataraid, .amiraid, .sx8, .umem, .etherd, .mmc: true
            default: false
            }
        }
    }

    /// How it counts.
    package var family: Family
    /// Its place in its family's order, from 0; nil when the name does not tell one.
    package var position: Int?
    /// The name as it is written, without the partition: "/dev/sda", "/dev/disk/by-id/ata-…".
    package var base: String
    /// Where it is attached; nil unless a by-path name says so.
    package var address: BusAddress?

    package var description: String { base }

    /// `sda`, `hdb`, `vda`, `xvda`: the name that a family gives its disk number `position`.
    package static func letters(_ family: Family, _ position: Int) -> String {
        var letters = ""
        var rest = position
        while rest >= 0 {
            letters = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(rest % 26))) + letters
            rest = rest / 26 - 1
        }
        return family.rawValue + letters
    }
}

extension DiskName {
    /// Reads "sda1", "hdc", "xvde2", "nvme0n1p3", "cciss/c0d0p1" (what follows "/dev/"): the disk and the
    /// partition's number. Nil for anything else.
    static func parse(deviceNode text: String) -> (disk: DiskName, partition: Int?)? {
        if text.hasPrefix("nvme") { return parseNumbered(text[...], "nvme", "n", family: .nvme) }
        if let found = parse(directoryNode: text) { return found }
        if text.hasPrefix("mmcblk") { return parseCard(text.dropFirst("mmcblk".count)) }
        for family in [Family.xvd, .sd, .hd, .vd] {
            if let (letters, position, partition) = lettersAndPartition(text[...], behind: family.rawValue) {
                let base = "/dev/\(family.rawValue)\(letters)"
                return (DiskName(family: family, position: position, base: base), partition)
            }
        }
        return nil
    }

    /// "sda12" behind "sd": the letters, the place that they count, and the partition.
    static func lettersAndPartition(
        _ text: Substring, behind prefix: String
    ) -> (letters: String, position: Int, partition: Int?)? {
        guard text.hasPrefix(prefix) else { return nil }
        let rest = text.utf8.dropFirst(prefix.utf8.count)
        let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
        let digits = rest.dropFirst(letters.count)
        let partition = smallNumber(String(decoding: digits, as: UTF8.self))
        guard (1...3).contains(letters.count), digits.isEmpty || partition != nil,
            digits.first != UInt8(ascii: "0")
        else { return nil }
        let position = letters.reduce(0) { $0 * 26 + Int($1 - UInt8(ascii: "a")) + 1 } - 1
        return (String(decoding: letters, as: UTF8.self), position, partition)
    }

    /// mmcblk0p2: a number, and "p" before the partition.
    private static func parseCard(_ text: Substring) -> (disk: DiskName, partition: Int?)? {
        guard let (position, partition) = unitAndPartition(text) else { return nil }
        return (DiskName(family: .mmc, position: position, base: "/dev/mmcblk\(position)"), partition)
    }

    /// nvme0n1p2 and c0d0p2: controller, unit, and "p" before the partition.
    static func parseNumbered(
        _ text: Substring, _ prefix: String, _ separator: Character, family: Family
    ) -> (disk: DiskName, partition: Int?)? {
        let parts = text.dropFirst(prefix.count).split(separator: separator, omittingEmptySubsequences: false)
        guard text.hasPrefix(prefix), parts.count == 2, let controller = smallNumber(parts[0]),
            let (unit, partition) = unitAndPartition(parts[1])
        else { return nil }
        let isNVMe = family == .nvme
        // One name space a controller, one array a Smart Array: the usual case. Other name spaces count where every disk given
        // has a name in use.
        let position: Int? = isNVMe ? (unit == 1 ? controller : nil) : (controller == 0 ? unit : nil)
        let base = "/dev/\(isNVMe ? "" : family.rawValue + "/")\(prefix)\(controller)\(separator)\(unit)"
        var name = DiskName(family: family, position: position, base: base)
        if isNVMe, unit > 0 {
            name.address = BusAddress(controller: "nvme", place: [controller, unit - 1])
        }
        return (name, partition)
    }

    /// "0p2": a number, and "p" before the partition.
    static func unitAndPartition(_ text: Substring) -> (unit: Int, partition: Int?)? {
        let parts = text.split(separator: "p", omittingEmptySubsequences: false)
        guard parts.count <= 2, let unit = smallNumber(parts[0]) else { return nil }
        guard parts.count == 2 else { return (unit, nil) }
        guard let partition = smallNumber(parts[1]), partition > 0 else { return nil }
        return (unit, partition)
    }

    /// Reads the file name of a by-id or by-path link: the disk and the partition's number.
    static func parse(link name: String, directory: String) -> (disk: DiskName, partition: Int?) {
        let (base, partition) = splitPartition(name)
        if directory == "by-path" { return (atBusAddress(base), partition) }
        let (family, position) = orderOfIdentifier(base)
        return (DiskName(family: family, position: position, base: "/dev/disk/by-id/\(base)"), partition)
    }

    /// Reads what follows "/dev/mapper/": "mpatha", "mpathap1", "mpath0p2", "mpatha-part1", "36005076…-part1"; nil for what is no
    /// name of multipath's or kpartx's.
    static func parse(multipath name: String) -> (disk: DiskName, partition: Int?)? {
        var (base, partition) = splitPartition(name)
        if partition == nil, let place = name.lastIndex(where: { !$0.isNumber }),
            name[place] == "p" || name[place].isLetter,
            let number = smallNumber(name[name.index(after: place)...]), number > 0, name.hasPrefix("mpath")
        {
            // A disk's own number is none of a partition: mpath0.
            let stem = name[place] == "p" ? name[..<place] : name[...place]
            if stem.count > "mpath".count {
                base = String(stem)
                partition = number
            }
        }
        let rest = base.dropFirst("mpath".count)
        let isNamed =
            base.hasPrefix("mpath") && !rest.isEmpty
            && (rest.allSatisfy { ("a"..."z").contains($0) } || smallNumber(rest) != nil)
        guard isNamed || base.utf8.count >= 17 && base.allSatisfy(\.isHexDigit) else { return nil }
        return (DiskName(family: .multipath, position: nil, base: "/dev/mapper/\(base)"), partition)
    }

    /// Reads what follows "/dev/disk/azure/": "scsi1/lun0-part1", "root-part2", "resource".
    static func parse(azureLink name: String) -> (disk: DiskName, partition: Int?) {
        let (base, partition) = splitPartition(name)
        return (DiskName(family: .azureLink, position: nil, base: "/dev/disk/azure/\(base)"), partition)
    }

    /// Reads the file name of a link in another directory below /dev/disk: "azure_root-part1" of "cloud".
    static func parse(link name: String, inForeign directory: String) -> (disk: DiskName, partition: Int?) {
        let (base, partition) = splitPartition(name)
        let family: Family = directory == "cloud" ? .azureLink : .serial
        return (DiskName(family: family, position: nil, base: "/dev/disk/\(directory)/\(base)"), partition)
    }

    /// "NAME-part2": the name and the partition's number.
    private static func splitPartition(_ name: String) -> (base: String, partition: Int?) {
        guard let mark = name.lastRange(of: "-part"), let number = smallNumber(name[mark.upperBound...]),
            number > 0
        else { return (name, nil) }
        return (String(name[..<mark.lowerBound]), number)
    }

    private static func orderOfIdentifier(_ name: String) -> (Family, Int?) {
        for prefix in [
            "ata-QEMU_HARDDISK_QM", "scsi-SATA_QEMU_HARDDISK_QM", "scsi-1ATA_QEMU_HARDDISK_QM",
            "scsi-0ATA_QEMU_HARDDISK_QM",
        ] where name.hasPrefix(prefix) {
            if let number = smallNumber(name.dropFirst(prefix.count)), number > 0 {
                return (.qemuSerial, number - 1)
            }
        }
        return (.serial, nil)
    }

    private static func atBusAddress(_ name: String) -> DiskName {
        let base = "/dev/disk/by-path/\(name)"
        guard let (bus, address) = BusAddress.parse(name) else {
            return DiskName(family: .busAddress, position: nil, base: base)
        }
        switch bus {
        case .scsi: return DiskName(family: .scsiAddress, position: nil, base: base, address: address)
        case .nvme: return DiskName(family: .nvmeAddress, position: nil, base: base, address: address)
        case .ide:
            let position = address.place.reduce(0) { $0 * 2 + $1 }
            return DiskName(family: .idePosition, position: position, base: base, address: address)
        case .ata:
            return DiskName(family: .ataPort, position: address.place.first, base: base, address: address)
        }
    }

    /// Up to six decimal digits.
    static func smallNumber(_ text: some StringProtocol) -> Int? {
        guard (1...6).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int(text)
    }
}

extension StringProtocol {
    /// The last place where `word` occurs.
    func lastRange(of word: String) -> Range<Index>? {
        var position = endIndex
        while position > startIndex {
            formIndex(before: &position)
            if self[position...].hasPrefix(word) {
                return position..<index(position, offsetBy: word.count)
            }
        }
        return nil
    }
}

internal import Storage

/// /etc/fstab (fstab(5)): rows of six fields between blanks. `\040` stands for a blank inside a field. Knows
/// where each field lies; comments, blank lines and anything else are left alone.
package struct Fstab: Sendable, Equatable {
    /// One row.
    package struct Row: Sendable, Equatable {
        /// The device field as it is written.
        package var specRange: Range<Int>
        /// The device field, decoded.
        package var spec: String
        /// The mount point, decoded and normalised: `//var/` is /var.
        package var mountPoint: String
        /// What the row says that the volume holds.
        package var mountTypes: MountTypes
        /// The field of the types.
        package var typesRange: Range<Int>
        /// The options field; nil when the row ends before it.
        package var optionsRange: Range<Int>?
        /// The options.
        package var options: [String]
        /// Options that name a device.
        package var deviceOptions: [DeviceOption] = []
        /// The fsck pass; 0 when it is not there.
        package var pass: Int
        /// The field of the fsck pass; nil when the row ends before it.
        package var passRange: Range<Int>?
        /// The fields behind the options are not what they have to be: a blank inside an earlier one, most likely, that is
        /// not written as `\040`. mount(8) skips such a row, and systemd takes it as it stands.
        package var isDisplaced = false
        /// The whole line without its end.
        package var lineRange: Range<Int>

        /// The file system's types: "ext3", or "udf,iso9660".
        package var types: [String] { mountTypes.words }
        /// Not mounted at boot.
        package var isNoauto: Bool { options.contains("noauto") }
        /// Its absence does not stop the boot.
        package var isNofail: Bool { options.contains("nofail") }
        /// What the row names is a device of this machine, not a directory, a file or another machine's.
        var isLocalDevice: Bool {
            spec.hasPrefix("/dev/") && !isShare && !types.contains("none")
                && !["bind", "rbind", "loop", "_netdev"].contains(where: options.contains)
        }
        /// cloud-init wrote it for a disk that the cloud may lend: `ephemeral0` is mounted at /mnt, by Amazon's configuration at
        /// /media/ephemeral0, by Azure's agent at /mnt/resource, and wherever the user's configuration says, by its default as `auto`
        /// (cc_mounts). A row that says what is on the disk was written for one of the guest's own.
        var isLentByCloud: Bool {
            guard options.contains("comment=cloudconfig") else { return false }
            return isSwap || types == ["auto"] || mountPoint == "/mnt" || mountPoint.contains("ephemeral")
                || mountPoint.hasPrefix("/mnt/resource")
        }
        /// A swap area.
        package var isSwap: Bool { types == ["swap"] }
        /// An optical or floppy drive by its type or mount point.
        package var isRemovableMedium: Bool {
            !types.isEmpty
                && types.allSatisfy { ["iso9660", "udf", "auto", "supermount", "subfs"].contains($0) }
                && (types.contains { $0 == "iso9660" || $0 == "udf" }
                    || ["cdrom", "dvd", "cdrecorder", "floppy", "cdrw"].contains { mountPoint.contains($0) })
        }
    }

    /// A device in a row's options.
    package struct DeviceOption: Sendable, Equatable {
        /// The option: "journal_path".
        package var name: String
        /// Where the value stands.
        package var range: Range<Int>
        /// The device. A systemd unit is given as the path that it stands for.
        package var device: String
    }

    /// The rows in order.
    package var rows: [Row]

    /// Reads a file. Rows with fewer than three fields are no rows.
    package init(_ bytes: [UInt8]) {
        rows = []
        for line in TextLine.all(in: bytes) {
            let fields = bytes.fields(in: line.content)
            guard fields.count >= 3, bytes[fields[0].lowerBound] != .hash else { continue }
            let options = fields.count > 3 ? bytes.text(fields[3]).split(separator: ",").map(String.init) : []
            let pass = fields.count > 5 ? Int(bytes.text(fields[5])) ?? 0 : 0
            rows.append(
                Row(
                    specRange: fields[0], spec: Self.decoded(bytes[fields[0]]),
                    mountPoint: Self.mountPoint(bytes[fields[1]]),
                    mountTypes: MountTypes(bytes.text(fields[2])),
                    typesRange: fields[2],
                    optionsRange: fields.count > 3 ? fields[3] : nil, options: options,
                    deviceOptions: fields.count > 3 ? Self.deviceOptions(bytes, fields[3]) : [], pass: pass,
                    passRange: fields.count > 5 ? fields[5] : nil,
                    isDisplaced: Self.isDisplaced(bytes, fields[min(4, fields.count)...]),
                    lineRange: line.content))
        }
    }

    /// The row of the root file system: the last one wins, as with mount -a and systemd.
    package var root: Row? { rows.last { $0.mountPoint == "/" } }

    /// The first field behind the options is neither a number nor a comment.
    private static func isDisplaced(_ bytes: [UInt8], _ rest: ArraySlice<Range<Int>>) -> Bool {
        guard let frequency = rest.first, bytes[frequency.lowerBound] != .hash else { return false }
        return !bytes[frequency].allSatisfy(\.isDigit)
    }

    /// A mount point as mount(8) and systemd take it: no empty name, no `.`, no `..`. Anything but a path is left alone.
    private static func mountPoint(_ field: ArraySlice<UInt8>) -> String {
        let text = decoded(field)
        guard text.utf8.first == UInt8(ascii: "/") else { return text }
        var names: [Substring] = []
        for name in text.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }

    /// `\NNN` in octal stands for a byte.
    private static func decoded(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == .backslash, digits.count == 3, digits.allSatisfy({ $0 >= 48 && $0 <= 55 }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Fstab: ConfigurationSyntax {
    package static let kind = ConfigurationKind("fstab")
    package static let places: [ConfigurationPlace] = [.path("/etc/fstab")]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    /// A disk without a partition table may hold a file system, and its name says no more than where it is.
    package static var renamesDisks: Bool { false }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.flatMap { row in
            [DeviceSite(range: row.specRange, text: row.spec, use: .fstab(row))]
                + row.deviceOptions.map {
                    DeviceSite(
                        range: $0.range, text: $0.device, use: .fstabOption(name: $0.name, row))
                }
        }
    }
}

package import Storage

/// The languages in which machines are described, and how a file is known to be in one.
package enum DescriptionLanguage: String, Sendable, CaseIterable {
    /// The DMTF's Open Virtualization Format.
    case ovf
    /// VMware's machine files.
    case vmx
    /// VirtualBox's machine files.
    case virtualbox
    /// libvirt's domain XML.
    case libvirt
    /// Proxmox VE's machine files.
    case proxmox
    /// The description within XenServer's exports.
    case xva

    /// What a file in it is called, for people.
    package var title: String {
        switch self {
        case .ovf: "an OVF description of a machine"
        case .vmx: "VMware's description of a machine (.vmx)"
        case .virtualbox: "VirtualBox's description of a machine (.vbox)"
        case .libvirt: "libvirt's description of a machine (.xml)"
        case .proxmox: "Proxmox's description of a machine (.conf)"
        case .xva: "XenServer's description of a machine (ova.xml)"
        }
    }

    /// Bytes that a description may have.
    package static let byteLimit = 16 << 20
    /// So much of a file must be text.
    private static let headByteCount = 4096

    /// Reads the machine from a text in this language; of several the one called `name`. Throws `refused`, code
    /// "no-such-machine", where it is called otherwise.
    package func read(_ bytes: [UInt8], machine name: String? = nil) throws(StorageError) -> Machine {
        var machine =
            switch self {
            case .ovf: try OVFDescription.read(bytes, machine: name)
            case .vmx: try VMXDescription.read(bytes)
            case .virtualbox: try VirtualBoxDescription.read(bytes)
            case .libvirt: try LibvirtDescription.read(bytes)
            case .proxmox: try ProxmoxDescription.read(bytes)
            case .xva: try XVADescription.read(bytes, machine: name)
            }
        if self != .ovf, self != .xva {
            machine = try MachineChoice(name, rawValue).one(of: [machine]) { [$0.name].compactMap(\.self) }
        }
        machine.noteSharedPlaces()
        return machine
    }

    /// Judges the first bytes of a file; nil for everything that is no description.
    package static func recognise(_ head: [UInt8]) -> DescriptionLanguage? {
        guard let text = text(head) else { return nil }
        let start = text.drop { $0.isWhitespace || $0 == "\u{feff}" }
        if start.hasPrefix("<") { return ofXML(start) }
        let lines = start.split(whereSeparator: \.isNewline)
        guard !lines.contains(where: { $0.hasPrefix("# Disk DescriptorFile") || $0.hasPrefix("createType") })
        else { return nil }
        if lines.contains(where: isOfVMX) { return .vmx }
        return isProxmox(lines) ? .proxmox : nil
    }

    /// Whether it is XML in a language that is not known.
    package static func isOtherXML(_ head: [UInt8]) -> Bool {
        recognise(head) == nil
            && text(head)?.drop { $0.isWhitespace || $0 == "\u{feff}" }.hasPrefix("<?xml") == true
    }

    /// The head as text, where it is text.
    private static func text(_ head: [UInt8]) -> String? {
        var bytes = head.prefix(headByteCount)
        // UTF-16 with a byte-order mark: each other byte of what is looked for.
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            bytes = bytes.dropFirst(2).filter { $0 != 0 }[...]
        }
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func ofXML(_ start: Substring) -> DescriptionLanguage? {
        // The first element decides; comments and declarations may stand before it.
        var rest = start
        while let open = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: open)...]
            if rest.hasPrefix("!--") {
                guard let end = rest.firstRange(of: "-->") else { return nil }
                rest = rest[end.upperBound...]
                continue
            }
            // A document type is refused where the text is read, and says what is in it.
            if rest.hasPrefix("?") { continue }
            if rest.hasPrefix("!") {
                let name = rest.dropFirst("!DOCTYPE".count).drop { $0.isWhitespace }
                return language(ofRoot: name.prefix { $0.isLetter })
            }
            let name = rest.prefix { $0.isLetter || $0 == ":" }
            return language(ofRoot: name.split(separator: ":").last ?? "")
        }
        return nil
    }

    private static func language(ofRoot name: Substring) -> DescriptionLanguage? {
        switch name {
        case "Envelope": .ovf
        case "VirtualBox": .virtualbox
        case "domain": .libvirt
        default: nil
        }
    }

    private static func isOfVMX(_ line: Substring) -> Bool {
        guard let equals = line.firstIndex(of: "=") else { return false }
        let key = line[..<equals].lowercased()
        return key.hasPrefix("config.version") || key.hasPrefix("virtualhw.version")
            || key.contains(":") && key.contains(".filename")
    }

    private static func isProxmox(_ lines: [Substring]) -> Bool {
        let rows = lines.prefix { !$0.hasPrefix("[") }.filter { !$0.hasPrefix("#") }
        // The last one may be cut off.
        guard rows.dropLast().allSatisfy({ isRow($0) }) else { return false }
        let keys = rows.compactMap { $0.split(separator: ":").first.map(String.init) }
        let disks = keys.contains { key in
            ["ide", "sata", "scsi", "virtio"].contains {
                key.hasPrefix($0) && Int(key.dropFirst($0.count)) != nil
            }
        }
        return disks
            && keys.contains { ["memory", "ostype", "cores", "boot", "scsihw", "smbios1"].contains($0) }
    }

    private static func isRow(_ line: Substring) -> Bool {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return false }
        return line[..<colon].allSatisfy {
            $0.isLowercase && $0.isASCII || $0.isNumber || $0 == "_" || $0 == "-"
        }
    }
}

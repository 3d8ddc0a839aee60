import ArgumentParser
import DiskGraft

/// `diskgraft chmod IMAGE MODE PATH…`.
struct ChangeModeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "chmod",
        abstract: "Change the mode of files of the guest.",
        discussion: """
            MODE is octal, or clauses like u=rwx,go-w. An ACL's entries for owner, mask and others follow. A mode \
            that begins with - goes behind --.

            Example:
              diskgraft chmod web01.vmdk 600 /etc/ssh/ssh_host_rsa_key
              diskgraft chmod -R web01.vmdk u=rwX,go= /root
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The mode.", valueName: "mode"))
    var mode: String

    @Argument(help: ArgumentHelp("The files; links are followed.", valueName: "path"))
    var paths: [PathArgument]

    @Flag(name: [.customShort("R"), .customLong("recursive")], help: "Everything below too.")
    var recursive = false

    @OptionGroup var place: EditArguments

    func validate() throws {
        guard ModeChange(mode) != nil else {
            throw ValidationError("\"\(mode)\" is no mode; one reads like 0644 or u=rwx,go-w")
        }
    }

    func run() throws {
        guard let change = ModeChange(mode) else { return }
        try place.edit(image) { (edit) throws(StorageError) in
            for path in paths {
                try edit.setPermissions(
                    path.path, recursively: recursive, { change.applied(to: $0) })
            }
        }
    }
}

/// `diskgraft chown IMAGE OWNER[:GROUP] PATH…`.
struct ChangeOwnerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "chown",
        abstract: "Change owner and group of files of the guest.",
        discussion: """
            By number, or by the names in the guest's own /etc/passwd and /etc/group. As in a running system, an \
            executable loses set-user-ID, set-group-ID and capabilities.

            Example:
              diskgraft chown -R web01.vmdk www-data:www-data /srv/app
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("Who.", valueName: "owner[:group]"))
    var owner: String

    @Argument(help: ArgumentHelp("The files; links are followed.", valueName: "path"))
    var paths: [PathArgument]

    @Flag(
        name: [.customShort("R"), .customLong("recursive")], help: "Everything below too, links themselves.")
    var recursive = false

    @Flag(name: [.customShort("h"), .customLong("no-dereference")], help: "A link itself.")
    var noDereference = false

    @OptionGroup var place: EditArguments

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            let ids = try Ownership(owner, edit)
            for path in paths {
                try edit.setOwner(
                    path.path, owner: ids.owner, group: ids.group, recursively: recursive,
                    followLast: !noDereference)
            }
        }
    }
}

/// `diskgraft xattr IMAGE PATH`.
struct ExtendedAttributeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "xattr",
        abstract: "List, print, set or remove extended attributes and ACLs of a file of the guest.",
        discussion: """
            Values are text (with --set and 0x: bytes in hexadecimal). The ACLs system.posix_acl_access and \
            system.posix_acl_default read like u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--; the mode follows.

            Example:
              diskgraft xattr web01.vmdk /etc/shadow
              diskgraft xattr web01.vmdk /etc/shadow --get security.selinux
              diskgraft xattr web01.vmdk /etc/shadow --set security.selinux=system_u:object_r:shadow_t:s0
              diskgraft xattr web01.vmdk /srv/app --set system.posix_acl_access=u::rwx,u:33:r-x,g::r-x,o::---
              diskgraft xattr web01.vmdk /usr/bin/ping --remove security.capability
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file; links are followed.", valueName: "path"))
    var path: PathArgument

    @Option(help: ArgumentHelp("Print this attribute's bytes.", valueName: "name"))
    var get: ByteArgument?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Set an attribute; may be repeated.", valueName: "name=value"))
    var set: [ByteArgument] = []

    @Option(
        parsing: .singleValue, help: ArgumentHelp("Remove an attribute; may be repeated.", valueName: "name"))
    var remove: [ByteArgument] = []

    @OptionGroup var place: EditArguments

    func validate() throws {
        guard get == nil || set.isEmpty && remove.isEmpty else {
            throw ValidationError("--get goes without --set and --remove")
        }
        for text in set where !text.bytes.contains(UInt8(ascii: "=")) {
            throw ValidationError("--set takes NAME=VALUE")
        }
    }

    func run() throws {
        if set.isEmpty, remove.isEmpty { return try show() }
        try place.edit(image) { (edit) throws(StorageError) in
            for name in remove {
                try edit.setExtendedAttribute(name.bytes, of: path.path, to: nil)
            }
            for text in set {
                let name = Array(text.bytes.prefix { $0 != UInt8(ascii: "=") })
                let value = Array(text.bytes.dropFirst(name.count + 1))
                try edit.setExtendedAttribute(
                    name, of: path.path, to: try Self.value(value, name, edit))
            }
        }
    }

    private static func isACL(_ name: [UInt8]) -> Bool { name.starts(with: "system.posix_acl_".utf8) }

    private static func value(
        _ text: [UInt8], _ name: [UInt8], _ edit: GuestEdit
    ) throws(StorageError) -> [UInt8] {
        if text.starts(with: "0x".utf8) {
            var bytes: [UInt8] = []
            var rest = text.dropFirst(2)
            while !rest.isEmpty {
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard rest.count >= 2, let byte = UInt8(digits, radix: 16) else {
                    throw StorageError(
                        .misuse, AttributeCode.badValue, "\(text.shellText) is not hexadecimal")
                }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return bytes
        }
        if isACL(name) { return try edit.accessControl(String(hostBytes: text)).value }
        // The kernel's label ends in NUL, and so do those that setfiles writes.
        return text + (name == Array("security.selinux".utf8) ? [0] : [])
    }

    private func show() throws {
        let guest = try Guest.open([image] + place.disks.with, options: place.image.options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        let files = try guest.files(volume: place.volume, source: try place.source.options())
        for note in files.notes { Terminal.printWarning(note.spelled) }
        let attributes = try files.extendedAttributes(of: try files.find(path.path))
        if let get {
            guard let found = attributes.first(where: { $0.name == get.bytes }) else {
                throw StorageError(
                    .refused, AttributeCode.noAttribute, "\(path.shown) has no \(get.shown)",
                    path: image)
            }
            return Terminal.write(
                Self.isACL(get.bytes)
                    ? Array(((AccessControl(found)?.text() ?? "") + "\n").utf8) : found.value)
        }
        for attribute in attributes {
            let list = AccessControl(attribute)?.text()
            let text = list ?? attribute.value.displayText
            Terminal.print("\(attribute.name.displayText)=\(text)\n")
        }
    }
}

/// `diskgraft label IMAGE LABEL`.
struct LabelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "label",
        abstract: "Show or set the label of a file system or swap area.",
        discussion: """
            Without --volume, of the volume that the guest's root is on. At most 16 bytes; "" takes the label away.

            Example:
              diskgraft label web01.vmdk --volume p1 boot
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The label; without it, it is shown.", valueName: "label"))
    var label: ByteArgument?

    @OptionGroup var place: EditArguments

    func run() throws {
        guard let label else {
            let guest = try Guest.open([image] + place.disks.with, options: place.image.options)
            let source = try place.source.options()
            if place.volume == nil, let several = try guest.severalSystems(source) {
                Terminal.printWarning(several.spelled)
            }
            let volume = try guest.volume(named: place.volume, source: source)
            return Terminal.write(Terminal.name(volume.identity.label ?? []) + [UInt8(ascii: "\n")])
        }
        try place.edit(image) { (edit) throws(StorageError) in
            try edit.setLabel(label.bytes, ofVolume: place.volume)
        }
    }
}

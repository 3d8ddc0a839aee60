/// initramfs-tools' list of modules for every initramfs (initramfs-tools(7)): a name with its options a line.
package struct InitramfsModules: ConfigurationSyntax {
    package static let kind = ConfigurationKind("initramfs-modules")
    package static let places: [ConfigurationPlace] = [.path(path)]
    static let path = "/etc/initramfs-tools/modules"

    /// The names, in order.
    package let names: [String]

    package init(_ bytes: [UInt8], path: String) {
        names = TextLine.all(in: bytes).compactMap { line in
            let name = bytes.fields(in: line.content).first.map { bytes.text($0) }
            return name.flatMap { $0.hasPrefix("#") ? nil : $0 }
        }
    }
}

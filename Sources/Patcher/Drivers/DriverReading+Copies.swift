internal import GuestTree
internal import Initramfs
internal import Storage

/// Device names in the configuration that an initramfs carries.
extension DriverReading {
    /// Names of copies that may mean something else, or nothing, behind another controller, and those of its arguments of the
    /// kernel, which may be on no disk.
    func copies(in report: InitramfsReport, of image: String) -> [InitramfsCopy] {
        var found: [InitramfsCopy] = []
        for copy in report.configuration {
            guard let syntax = Self.syntaxes[copy.kind], copy.bytes.count <= configurationLimit else {
                continue
            }
            let path = copy.path.displayText
            for site in syntax.init(copy.bytes, path: "/" + path).deviceSites(in: copy.bytes) {
                // LVM checks the physical volume's identifier, and looks for it.
                if case .lvmDevice(_?) = site.use { continue }
                let argument = Self.argument(of: copy.kind, site)
                guard DeviceName(site.text).isPositional || argument != nil && !site.isOpaque,
                    found.count < Self.copyLimit
                else { continue }
                let item = InitramfsCopy(image: image, path: path, name: site.text, argument: argument)
                if !found.contains(item) { found.append(item) }
            }
        }
        return found
    }

    /// What keeps LVM or mdadm from looking at devices.
    func filters(in report: InitramfsReport, of image: String) -> [CopiedConfiguration] {
        report.configuration.compactMap { copy in
            guard [.lvm, .lvmLocal, .lvmDevices, .mdadm].contains(copy.kind),
                copy.bytes.count <= configurationLimit,
                let syntax = Self.syntaxes[copy.kind]
            else { return nil }
            let path = copy.path.displayText
            return CopiedConfiguration(
                image: image, path: path, syntax: syntax.init(copy.bytes, path: "/" + path), bytes: copy.bytes
            )
        }
    }

    private static let copyLimit = 64

    private static let syntaxes: [ConfigurationCopy.Kind: any ConfigurationSyntax.Type] = [
        .lvm: LVMConfiguration.self, .lvmLocal: LVMConfiguration.self, .lvmDevices: LVMDevicesFile.self,
        .crypttab: Crypttab.self, .mdadm: MDConfiguration.self, .resume: ResumeSetting.self,
        .kernelParameters: KernelCommandLineFile.self, .fstab: Fstab.self, .generator: InitramfsPolicy.self,
    ]

    /// The argument of the kernel that has the last word.
    private static func argument(of kind: ConfigurationCopy.Kind, _ site: DeviceSite) -> String? {
        switch (kind, site.use) {
        case (.resume, _): return "resume"
        case (_, .sharedKernelArgument(let name)): return name
        case (.fstab, .fstab(let row)):
            return row.mountPoint == "/" || row.mountPoint == "/sysroot" ? "root" : nil
        default: return nil
        }
    }
}

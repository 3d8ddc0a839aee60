internal import KernelModules
internal import Storage

/// What a controller of the target is for a kernel with its initramfs.
extension DriverReading {
    /// One controller's state. Emulated disks of Hyper-V and Xen are left to the paravirtual drivers by newer kernels.
    func controllerState(
        _ controller: Controller, _ evidence: Evidence
    ) throws(StorageError) -> ControllerState {
        guard let device = device(controller) else { return ControllerState(.unknown) }
        let own = try judge(device, evidence)
        guard controller == .ide, let version = BootEntry.version(evidence.release) else {
            return ControllerState(own)
        }
        if [.hyperv, .azure].contains(target.hypervisor), try leavesHyperVDisks(evidence) {
            return try hypervIDE(own, evidence)
        }
        if target.hypervisor.hasAliasedDiskNames, !isVersion(version, below: [2, 6, 36]),
            let device = self.device(.xenBlkfront)
        {
            // The kernel unplugs them when it has the driver, be it a module that is not loaded.
            switch try state(of: device, evidence) {
            case .noSuchDriver, .unknown: return ControllerState(own)
            case .present, .needsArgument, .missing, .forbidden, .hidden, .unusable, .unreadable:
                return ControllerState(own, argument: EmulatedDisks.xenArgument)
            }
        }
        return ControllerState(own)
    }

    /// The emulated disks are the synthetic driver's: since 3.5, and where ata_piix has the parameter that says so, as in kernels
    /// that were given the change (SLES 11 since SP2).
    func leavesHyperVDisks(_ evidence: Evidence) throws(StorageError) -> Bool {
        if let version = BootEntry.version(evidence.release), !isVersion(version, below: [3, 5]) {
            return true
        }
        guard let tree = evidence.tree else { return false }
        do {
            guard let module = try tree.module("ata_piix") else { return false }
            return try tree.info(of: module).values("parm").contains { $0.hasPrefix("prefer_ms_hyperv") }
        } catch {
            guard error.isAboutImage else { throw error }
            return false
        }
    }

    /// Since 3.5 ata_piix leaves Hyper-V's disks to hv_storvsc, where the kernel has it, unless told to take them.
    private func hypervIDE(_ own: Judgement, _ evidence: Evidence) throws(StorageError) -> ControllerState {
        guard let device = TargetDevice.controller(Controller.storvsc.rawValue, on: target.name) else {
            return ControllerState(own)
        }
        let synthetic = try judge(device, evidence)
        let told = ControllerState(own, argument: EmulatedDisks.hypervArgument)
        // The one who asks for the emulated disks gets them.
        if request.controller == .ide, own.state == .present { return told }
        switch synthetic.state {
        case .present, .needsArgument:
            var found = ControllerState(synthetic)
            found.state = .present
            return found
        case .noSuchDriver: return ControllerState(own)
        case .missing, .unusable: return own.state == .present ? told : ControllerState(synthetic)
        case .forbidden, .hidden, .unknown, .unreadable: return ControllerState(synthetic)
        }
    }
}

extension ControllerState {
    fileprivate init(_ found: DriverReading.Judgement, argument: String? = nil) {
        self.init(found.state, argument: argument, drivers: found.drivers)
        builtins = found.builtins
    }
}

package import Initramfs
package import KernelModules
package import Storage

/// What an overlay is made from: a kernel with its initramfs, and the modules that it lacks.
package struct OverlayRequest {
    /// The initramfs, read with `InitramfsReport.read(_:alsoWhere:)` and `LoadHooks.wants`.
    package var contents: InitramfsContents
    /// What it is.
    package var report: InitramfsReport
    /// The kernel's modules.
    package var tree: ModuleTree
    /// What is missing, each before what needs it.
    package var missing: [KernelModule]

    /// A request.
    package init(
        contents: InitramfsContents, report: InitramfsReport, tree: ModuleTree, missing: [KernelModule]
    ) {
        self.contents = contents
        self.report = report
        self.tree = tree
        self.missing = missing
    }
}

/// Drivers that are added to an initramfs: the guest's own modules, and what makes the initramfs load them. Nothing of the
/// image itself changes.
package struct DriverOverlay: Sendable, Equatable {
    /// The files.
    package var files: InitramfsOverlay
    /// Where they are put.
    package var placement: OverlayPlacement
    /// The modules that they load, in the order in which they are loaded.
    package var modules: [String]

    /// Makes one. Throws `refused` where the initramfs takes none.
    package static func make(_ request: OverlayRequest) throws(StorageError) -> DriverOverlay {
        throw StorageError(
            .refused, InitramfsCode.noPlace,
            "nobody knows what would load further modules in an initramfs by \(request.report.generator.name)"
        )
    }
}

/// Every hook.
package enum LoadHooks {
    /// Whether a hook needs the bytes of the file at this path of an image, of so many bytes.
    package static func wants(_ path: [UInt8], _ size: UInt64) -> Bool { false }
}
